#pragma once

#include <optional>

#include "tuner/threshold_knobs.h"

namespace spillway {

/// Decisions that need little memory.
struct Lean {
  Bytes arena;  ///< what they need
  std::vector<Swap> swaps;
  ThresholdKnobs knobs;
};

/// Of the policy `threshold`'s decisions with the shortest stays those with the fewest arena bytes that the host pool
/// holds; the capacity plays no part. Tried in order of their peak until no packing can be better, at most a few.
/// Empty: the host pool is too small for any.
[[nodiscard]] std::optional<Lean> leanest(const Problem& problem);

}  // namespace spillway
