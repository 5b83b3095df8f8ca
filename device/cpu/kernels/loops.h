#pragma once

#include <array>
#include <cstdint>

#include "core/attributes.h"

namespace spillway {

// What our own loops share. They run over channels-last memory, are bound by memory and not by arithmetic, and add up
// in a fixed order, so that two runs give the same bits.

/// [N, C, space...] with the spatial extents as three, ones in front.
struct Grid {
  std::int64_t samples = 1, channels = 1;
  std::array<std::int64_t, 3> space = {1, 1, 1};
  std::array<bool, 3> is_spatial = {false, false, false};  ///< which of the three the tensor really has

  [[nodiscard]] std::int64_t positions() const { return space[0] * space[1] * space[2]; }
};

/// Requires: two to five extents.
[[nodiscard]] Grid grid_of(const Extents& extents);

}  // namespace spillway
