#include "tuner/threshold_search.h"

#include <algorithm>
#include <utility>
#include <variant>

namespace spillway {
namespace {

constexpr std::size_t kScanned = 12;   // thresholds of the first scan
constexpr std::size_t kBest = 4;       // candidates handed on for full effort
constexpr int kBudgets = 4;            // budgets tried for one candidate
constexpr double kSameTime = 1e-9;     // sums of the same durations in another order differ by less
constexpr double kRefineShare = 0.55;  // of the evaluations; trimming may use the rest

}  // namespace

ThresholdSearch::ThresholdSearch(const Problem& problem, Bytes capacity) : problem_(problem), capacity_(capacity) {}

bool ThresholdSearch::may_go_on(double share) const {
  return static_cast<double>(evaluations_) < share * static_cast<double>(problem_.request().evaluations);
}

bool ThresholdSearch::scan() {
  scan(false);
  if (std::ranges::any_of(problem_.stretches(), &Stretch::lasting)) scan(true);
  return !best_.empty();
}

void ThresholdSearch::scan(bool variables) {
  // Where memory is so short that nothing fits, small buffers matter too; and where long stays leave no packing, short
  // ones do.
  const Bytes small = small_buffer(problem_);
  for (const Bytes smallest : {small, Bytes{small.value / 16}, Bytes{}}) {
    ThresholdKnobs knobs{.variables = variables, .smallest = smallest};
    if (scan(knobs)) return;
    knobs.swapout_linger = Linger::none;
    for (const std::int64_t ahead : {4, 1, 0}) {
      knobs.swapin_ahead = ahead;
      if (scan(knobs)) return;
    }
  }
}

bool ThresholdSearch::scan(ThresholdKnobs knobs) {
  const std::vector<std::int64_t> thresholds = fitting_thresholds(knobs);
  if (thresholds.empty()) return false;
  bool any = false;
  const std::size_t last = thresholds.size() - 1;
  for (std::size_t i = 0; i < kScanned; ++i) {
    knobs.swapout_threshold = thresholds[last - last * i / (kScanned - 1)];
    if (consider(knobs)) any = true;
    if (!any && i >= 3 && knobs.swapin_ahead == StretchLimits::kAnyAhead) break;  // lower ones pack no better
  }
  return any;
}

std::vector<std::int64_t> ThresholdSearch::fitting_thresholds(const ThresholdKnobs& knobs) const {
  std::vector<std::int64_t> thresholds = distinct_thresholds(problem_, knobs);
  // A higher threshold swaps a subset, so peaks ascend.
  const auto end = std::ranges::partition_point(thresholds, [&](std::int64_t threshold) {
    ThresholdKnobs tried = knobs;
    tried.swapout_threshold = threshold;
    return problem_.peak(shortest_stays(problem_, chosen_by(problem_, tried))) <= capacity_;
  });
  thresholds.erase(end, thresholds.end());
  return thresholds;
}

const std::vector<ThresholdSearch::Candidate>& ThresholdSearch::refine() {
  refine_threshold(kScanned / 2);
  for (Seconds before{-1}; before != best_.front().step && may_go_on(kRefineShare);) {
    before = best_.front().step;
    refine_other_knobs();
    refine_threshold(4);
  }
  trim();
  return best_;
}

void ThresholdSearch::refine_threshold(std::size_t stride) {
  for (; stride > 0; stride /= 2) {
    for (const bool up : {true, false}) {
      const ThresholdKnobs from = best_.front().knobs;
      const std::vector<std::int64_t> thresholds = fitting_thresholds(from);
      const auto here = std::ranges::lower_bound(thresholds, from.swapout_threshold) - thresholds.begin();
      const std::int64_t there = here + (up ? 1 : -1) * static_cast<std::int64_t>(stride);
      if (there < 0 || there >= static_cast<std::int64_t>(thresholds.size())) continue;
      ThresholdKnobs tried = from;
      tried.swapout_threshold = thresholds[static_cast<std::size_t>(there)];
      if (may_go_on(kRefineShare)) consider(tried);
    }
  }
}

void ThresholdSearch::refine_other_knobs() {
  const auto vary = [&](auto ThresholdKnobs::*knob, auto value) {
    ThresholdKnobs tried = best_.front().knobs;
    tried.*knob = value;
    if (may_go_on(kRefineShare)) consider(tried);
  };
  for (const Linger linger : {Linger::none, Linger::copied, Linger::memory})
    vary(&ThresholdKnobs::swapout_linger, linger);
  vary(&ThresholdKnobs::swapin_ahead, StretchLimits::kAnyAhead);
  for (std::int64_t ahead = 1; ahead < problem_.positions(); ahead *= 2) vary(&ThresholdKnobs::swapin_ahead, ahead);
  const Bytes small = small_buffer(problem_);
  for (const Bytes smallest : {Bytes{}, small, 4 * small, 16 * small}) vary(&ThresholdKnobs::smallest, smallest);
}

void ThresholdSearch::trim() {
  Candidate now = best_.front();
  // Small buffers first: they free least. Many at a time, then fewer.
  std::ranges::stable_sort(now.chosen, {}, [&](std::size_t i) { return problem_.stretches()[i].bytes; });
  for (std::size_t chunk = std::max<std::size_t>(now.chosen.size() / 4, 1); chunk > 0; chunk /= 2) {
    for (std::size_t first = 0; first < now.chosen.size() && may_go_on(1);) {
      std::optional<Candidate> without = drop(now, first, chunk);
      if (without && without->step <= (1 + kSameTime) * now.step) {
        now = std::move(*without);  // the same place now holds the next ones
      } else {
        first += chunk;
      }
    }
  }
  std::erase_if(best_, [&](const Candidate& candidate) { return candidate.swaps == now.swaps; });
  best_.insert(best_.begin(), std::move(now));
}

std::optional<ThresholdSearch::Candidate> ThresholdSearch::drop(const Candidate& from, std::size_t first,
                                                                std::size_t count) {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < from.chosen.size(); ++i) {
    const bool dropped = i >= first && i < first + count;
    if (!dropped || problem_.stretches()[from.chosen[i]].asked == Asked::swap) chosen.push_back(from.chosen[i]);
  }
  if (chosen.size() == from.chosen.size()) return std::nullopt;
  const std::size_t trimmed = from.trimmed + from.chosen.size() - chosen.size();
  return evaluate(from.knobs, std::move(chosen), trimmed);
}

bool ThresholdSearch::consider(const ThresholdKnobs& knobs) {
  if (!considered_.insert(knobs).second) return false;
  std::optional<Candidate> candidate = evaluate(knobs, chosen_by(problem_, knobs), 0);
  if (!candidate) return false;
  keep(std::move(*candidate));
  return true;
}

std::optional<ThresholdSearch::Candidate> ThresholdSearch::evaluate(const ThresholdKnobs& knobs,
                                                                    std::vector<std::size_t> chosen,
                                                                    std::size_t trimmed) {
  const Bytes least = problem_.peak(shortest_stays(problem_, chosen));
  Bytes budget = capacity_;
  for (int attempt = 0; attempt < kBudgets && may_go_on(1); ++attempt) {
    const auto aways = stretch_stays(problem_, chosen,
                                     {.budget = budget, .ahead = knobs.swapin_ahead, .linger = knobs.swapout_linger});
    if (!aways) return std::nullopt;
    Plan plan = problem_.plan(problem_.prefetching(*aways), {});
    plan.capacity = capacity_;
    ++evaluations_;
    const std::variant<Schedule, Shortfall> lowered = lower(problem_.trace(), plan, Effort::quick);
    if (const auto* shortfall = std::get_if<Shortfall>(&lowered)) {
      if (shortfall->host) return std::nullopt;
      if (budget <= least) return std::nullopt;
      budget = std::max(budget - (shortfall->needed - capacity_), least);
      continue;
    }
    const StepTimes times = step_times(problem_.trace(), std::get<Schedule>(lowered), problem_.machine());
    return Candidate{.knobs = knobs,
                     .chosen = std::move(chosen),
                     .trimmed = trimmed,
                     .swaps = std::move(plan.swaps),
                     .step = times.step};
  }
  return std::nullopt;
}

void ThresholdSearch::keep(Candidate candidate) {
  const auto place = std::ranges::upper_bound(best_, candidate.step, {}, &Candidate::step);
  if (std::ranges::find(best_, candidate.swaps, &Candidate::swaps) == best_.end()) {
    best_.insert(place, std::move(candidate));
    if (best_.size() > kBest) best_.pop_back();
  }
  if (const auto& progress = problem_.request().progress) {
    progress({.evaluations = evaluations_, .limit = problem_.request().evaluations, .best = best_.front().step});
  }
}

}  // namespace spillway
