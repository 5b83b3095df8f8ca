#include "tuner/leanest.h"

#include <algorithm>
#include <variant>

#include "tuner/choose.h"

namespace spillway {
namespace {

constexpr int kPlacements = 16;

struct Candidate {
  Bytes peak;
  std::vector<std::size_t> chosen;
  ThresholdKnobs knobs;
};

std::vector<Candidate> candidates(const Problem& problem) {
  std::vector<Candidate> found;
  for (const bool variables : {false, true}) {
    for (const Bytes smallest : {small_buffer(problem), Bytes{}}) {
      ThresholdKnobs knobs{
          .swapin_ahead = 0, .swapout_linger = Linger::none, .variables = variables, .smallest = smallest};
      const std::vector<std::int64_t> thresholds = distinct_thresholds(problem, knobs);
      // The largest first: of equal peaks those with fewer swaps come first.
      for (auto threshold = thresholds.rbegin(); threshold != thresholds.rend(); ++threshold) {
        knobs.swapout_threshold = *threshold;
        std::vector<std::size_t> chosen = chosen_by(problem, knobs);
        const Bytes peak = problem.peak(shortest_stays(problem, chosen));
        found.push_back({.peak = peak, .chosen = std::move(chosen), .knobs = knobs});
      }
    }
  }
  std::ranges::stable_sort(found, {}, &Candidate::peak);
  return found;
}

}  // namespace

std::optional<Lean> leanest(const Problem& problem) {
  std::optional<Lean> best;
  int placed = 0;
  const std::vector<std::size_t>* before = nullptr;
  const std::vector<Candidate> all = candidates(problem);
  for (const Candidate& candidate : all) {
    if (placed == kPlacements || (best && candidate.peak >= best->arena)) break;
    if (before && candidate.chosen == *before) continue;
    before = &candidate.chosen;
    std::vector<Swap> swaps = problem.prefetching(shortest_stays(problem, candidate.chosen));
    const auto needed = arena_bytes(problem, swaps);
    const Bytes* bytes = std::get_if<Bytes>(&needed);
    if (!bytes) continue;  // the host pool; a plan that swaps less may do
    ++placed;
    if (!best || *bytes < best->arena) best = {.arena = *bytes, .swaps = std::move(swaps), .knobs = candidate.knobs};
  }
  return best;
}

}  // namespace spillway
