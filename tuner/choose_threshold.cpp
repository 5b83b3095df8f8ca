#include <algorithm>
#include <optional>

#include "tuner/choose.h"
#include "tuner/leanest.h"
#include "tuner/tflms.h"
#include "tuner/threshold_search.h"

namespace spillway {
namespace {

/// Steps that differ by less (relative) are equally fast: sums of the same durations in another order do.
constexpr double kSameTime = 1e-9;

/// The fastest of what is offered; of equally fast ones the first.
class Fastest {
 public:
  void offer(std::variant<Tuned, Shortfall> result) {
    Tuned* fits = std::get_if<Tuned>(&result);
    if (fits && (!best_ || fits->times.step < (1 - kSameTime) * best_->times.step)) best_ = std::move(*fits);
  }
  [[nodiscard]] std::optional<Tuned>& get() { return best_; }

 private:
  std::optional<Tuned> best_;
};

/// TFLMS's own knobs in its own sync modes: a coarse grid, quickly evaluated; the best of it with full effort. Its
/// swap-ins start later than ours at equal memory, so this seldom wins; but where it does, it should.
void offer_tflms_grid(const Problem& problem, const TflmsGraph& graph, Fastest& fastest) {
  constexpr std::int64_t kThresholds = 4;
  std::optional<Seconds> best;
  std::optional<TflmsKnobs> best_knobs;
  const auto consider = [&](const TflmsKnobs& knobs) {
    if (tflms_peak(problem, graph, knobs) > problem.capacity()) return;
    const Plan plan = problem.plan(tflms_swaps(problem, graph, knobs), {});
    const auto lowered = lower(problem.trace(), plan, Effort::quick);
    const auto* schedule = std::get_if<Schedule>(&lowered);
    if (!schedule) return;
    const Seconds step = step_times(problem.trace(), *schedule, problem.machine()).step;
    if (best && step >= *best) return;
    best = step;
    best_knobs = knobs;
  };
  for (std::int64_t i = 1; i <= kThresholds; ++i) {
    for (const int sync_mode : {0, 2}) {
      for (const std::int64_t ahead : {1, 8}) {
        for (const std::int64_t groupby : {std::int64_t{0}, graph.level_count()}) {
          const std::int64_t threshold = 1 + graph.level_count() * (i - 1) / kThresholds;
          if (sync_mode == 2 && ahead > 1) continue;  // a synchronous swap-in has no ahead
          consider({.swapout_threshold = threshold,
                    .swapin_ahead = ahead,
                    .swapin_groupby = groupby,
                    .sync_mode = sync_mode});
        }
      }
    }
  }
  if (!best_knobs) return;
  for (const int blocking : {0, 1}) {  // 0 -> 1, 2 -> 3: swap-outs block too
    TflmsKnobs knobs = *best_knobs;
    knobs.sync_mode += blocking;
    fastest.offer(tuned(problem, tflms_swaps(problem, graph, knobs), to_map(knobs)));
  }
}

NothingFits nothing_fits(const Problem& problem, const TflmsGraph& graph, const std::optional<Lean>& lean) {
  if (!lean) {
    const auto result = tuned(problem, only_asked_swaps(problem), {});
    return {.shortfall = std::get<Shortfall>(result), .smallest_capacity = std::nullopt};
  }
  const auto result = tuned(problem, lean->swaps, {});
  // Now and then another plan packs better than the leanest: go down while anything is found.
  Bytes smallest = lean->arena;
  for (;;) {
    const Bytes below = a_little_below(smallest, problem.alignment());
    if (below <= problem.capacity()) break;
    if (!ThresholdSearch(problem, below).scan() && !tflms_finds(problem, graph, below)) break;
    smallest = below;
  }
  return {.shortfall = std::get<Shortfall>(result), .smallest_capacity = smallest};
}

}  // namespace

Outcome choose_threshold(const Problem& problem) {
  Fastest fastest;
  const std::map<std::string, std::string> off{{"sync_mode", "off"}};
  auto in_memory = tuned(problem, only_asked_swaps(problem), off);
  const bool all_fits = std::holds_alternative<Tuned>(in_memory);
  fastest.offer(std::move(in_memory));
  if (all_fits && problem.asked_swaps().empty()) return std::move(*fastest.get());  // nothing moves: nothing is faster

  const TflmsGraph graph(problem);
  ThresholdSearch search(problem, problem.capacity());
  if (search.scan()) {
    for (const ThresholdSearch::Candidate& candidate : search.refine()) {
      fastest.offer(tuned(problem, candidate.swaps, to_map(candidate.knobs, candidate.trimmed)));
    }
    offer_tflms_grid(problem, graph, fastest);
  }
  fastest.offer(tuned_by_tflms(problem, graph));
  std::optional<Lean> lean;
  if (!fastest.get()) {
    lean = leanest(problem);
    if (lean) fastest.offer(tuned(problem, lean->swaps, to_map(lean->knobs, 0)));
  }
  if (fastest.get()) return std::move(*fastest.get());
  return nothing_fits(problem, graph, lean);
}

}  // namespace spillway
