#include "tuner/threshold_knobs.h"

#include <fmt/format.h>

#include <algorithm>

namespace spillway {

std::vector<std::size_t> chosen_by(const Problem& problem, const ThresholdKnobs& knobs) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < problem.stretches().size(); ++i) {
    const Stretch& stretch = problem.stretches()[i];
    if (!stretch.can_be_away || stretch.asked == Asked::keep) continue;
    const bool leaves = stretch.distance() > knobs.swapout_threshold && stretch.bytes >= knobs.smallest &&
                        (knobs.variables || !stretch.lasting);
    if (leaves || stretch.asked == Asked::swap) chosen.push_back(i);
  }
  return chosen;
}

std::vector<std::int64_t> distinct_thresholds(const Problem& problem, ThresholdKnobs knobs) {
  knobs.swapout_threshold = 0;
  std::vector<std::int64_t> values{0};
  for (const std::size_t index : chosen_by(problem, knobs)) values.push_back(problem.stretches()[index].distance());
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

Bytes small_buffer(const Problem& problem) {
  const std::vector<Bytes>& kept = problem.kept_bytes();
  return kept.empty() ? Bytes{} : Bytes{std::ranges::max_element(kept)->value / 1024};
}

std::map<std::string, std::string> to_map(const ThresholdKnobs& knobs, std::size_t trimmed) {
  const bool any_ahead = knobs.swapin_ahead == StretchLimits::kAnyAhead;
  const char* linger = knobs.swapout_linger == Linger::none     ? "none"
                       : knobs.swapout_linger == Linger::copied ? "copied"
                                                                : "memory";
  return {{"sync_mode", "prefetch"},
          {"swapout_threshold", fmt::format("{}", knobs.swapout_threshold)},
          {"swapin_ahead", any_ahead ? "any" : fmt::format("{}", knobs.swapin_ahead)},
          {"swapout_linger", linger},
          {"variables", knobs.variables ? "yes" : "no"},
          {"smallest_bytes", fmt::format("{}", knobs.smallest.value)},
          {"trimmed", fmt::format("{}", trimmed)}};
}

}  // namespace spillway
