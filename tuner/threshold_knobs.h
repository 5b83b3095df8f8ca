#pragma once

#include <map>
#include <string>
#include <vector>

#include "tuner/stretch.h"

namespace spillway {

/// The knobs of the policy `threshold` in its own sync mode, `prefetch`: a buffer leaves in every gap that is long
/// enough, lingers, and is back as early as memory allows. Distances are in positions of the compute stream, so that
/// they mean the same for decisions and for memory; grouping by distance is what the threshold does already.
struct ThresholdKnobs {
  std::int64_t swapout_threshold = 0;                    ///< gaps longer than this are swapped
  std::int64_t swapin_ahead = StretchLimits::kAnyAhead;  ///< a swap-in begins at most so far before its reader
  Linger swapout_linger = Linger::copied;
  bool variables = false;  ///< parameters, optimizer state and state leave too
  Bytes smallest;          ///< smaller buffers stay: their copies cost a start-up and free nothing
  friend auto operator<=>(const ThresholdKnobs&, const ThresholdKnobs&) = default;
};

/// The stretches that leave under these knobs and the user's constraints.
[[nodiscard]] std::vector<std::size_t> chosen_by(const Problem& problem, const ThresholdKnobs& knobs);

/// The thresholds that make a difference under the other knobs, ascending: 0 and the lengths of the gaps that may
/// leave.
[[nodiscard]] std::vector<std::int64_t> distinct_thresholds(const Problem& problem, ThresholdKnobs knobs);

/// Below this, a buffer is too small to matter for memory.
[[nodiscard]] Bytes small_buffer(const Problem& problem);

/// For Plan::knobs. `trimmed` is the number of swaps dropped afterwards.
[[nodiscard]] std::map<std::string, std::string> to_map(const ThresholdKnobs& knobs, std::size_t trimmed);

}  // namespace spillway
