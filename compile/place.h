#pragma once

#include <vector>

#include "core/schedule.h"

namespace spillway {

/// Where the residencies lie.
struct Placement {
  IdVector<ResidencyId, Bytes> offsets;
  Bytes arena_bytes;  ///< highest offset used
};

/// Gives each residency an offset so that no two at one position overlap. A residency that spans the step's end is one
/// arc: one offset, occupied at both ends. Sizes are multiples of the alignment already.
///
/// Orders tried: by size, by size times positions, by positions, each descending; every residency goes to the gap that
/// fits it best among those placed before. Then, while the result is above the peak of live bytes, those that reach the
/// top are placed first and all is tried again, at most `rounds` times. The best result counts; same input, same
/// output. Source: best fit by decreasing size for dynamic storage allocation, as in Pisarchyk and Lee, arXiv
/// 2001.03288, section 5. Cost: O(rounds * n^2) for n residencies.
[[nodiscard]] Placement place(const IdVector<ResidencyId, Residency>& residencies, std::size_t positions,
                              Bytes peak_live_bytes, int rounds);

}  // namespace spillway
