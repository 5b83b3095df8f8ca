#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "tuner/problem.h"

namespace spillway {

/// Lowers these decisions with full effort and simulates them. The plan holds its prediction.
[[nodiscard]] std::variant<Tuned, Shortfall> tuned(const Problem& problem, std::vector<Swap> swaps,
                                                   std::map<std::string, std::string> knobs);

/// The arena bytes of these decisions whatever the capacity, or the Shortfall of the host pool. Bytes don't depend on
/// the capacity, so a capacity of as many is the smallest for them.
[[nodiscard]] std::variant<Bytes, Shortfall> arena_bytes(const Problem& problem, std::vector<Swap> swaps);

/// Decisions that keep everything but what the user wants swapped; those leave for the whole of each gap.
[[nodiscard]] std::vector<Swap> only_asked_swaps(const Problem& problem);

/// The largest multiple of the alignment that is at least 0.1 % below `capacity`.
[[nodiscard]] Bytes a_little_below(Bytes capacity, Bytes alignment);

/// Policies.
using Outcome = std::variant<Tuned, NothingFits>;
/// Everything is kept but what the user wants swapped.
[[nodiscard]] Outcome choose_in_memory(const Problem& problem);
/// Every buffer leaves in every gap, parameters and optimizer state too; all swap-ins begin equally many positions
/// ahead of their readers: as many as give the shortest step among those that fit. Cost: some twenty lowerings.
[[nodiscard]] Outcome choose_swap_all(const Problem& problem);
/// TFLMS v2 with its own auto-tuner (tuner/tflms.h). Finds nothing where its choice doesn't fit exactly.
[[nodiscard]] Outcome choose_tflms(const Problem& problem);
/// The knobs of TFLMS, chosen by simulated time and exact bytes (tuner/threshold_search.h).
[[nodiscard]] Outcome choose_threshold(const Problem& problem);

}  // namespace spillway
