#pragma once

#include <map>
#include <vector>

#include "core/compute_stream.h"
#include "core/plan.h"

namespace spillway {

/// A copy at one end of a stay.
struct StayCopy {
  Position position;
  SwapMode mode = SwapMode::prefetch;
  std::size_t next_use = 0;  ///< for ties; counts on beyond the step's end
};

/// One stay of one buffer in the arena: what a residency will be.
struct Stay {
  Position first, last;
  bool wraps = false;
  std::vector<Use> uses;
  std::vector<StayCopy> ins;   ///< at most one: how it began
  std::vector<StayCopy> outs;  ///< at most one: how it ended
};

/// The life of one buffer in one step.
struct Life {
  std::vector<Stay> stays;
  bool resident_at_start = false;  ///< of lasting buffers: stays[wrapping] is there when a step starts
  std::size_t wrapping = 0;
  bool host_valid_at_start = false;
  bool needs_slot = false;
};

/// Cuts the life of `buffer` by the decisions for its gaps (by the gap's `after`; an input's first gap has none).
///
/// A swap-out is left out when the host copy is valid: made by an earlier copy with no write since. At the start of a
/// step it is valid for a buffer that the step never writes, and for one whose last write is followed by a swap-out in
/// the same step. An input comes at `arrival` unless it has a decision. Throws Error (exit 2) when a decision's
/// positions aren't inside its gap.
[[nodiscard]] Life live(const Graph& graph, BufferId buffer, const std::vector<Use>& uses,
                        const std::map<Position, const Swap*>& swaps, Position arrival, std::size_t positions);

}  // namespace spillway
