#include "tuner/reduction.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "compile/lower.h"
#include "core/error.h"
#include "core/gradients.h"
#include "core/planned_step.h"
#include "sim/all_reduce_time.h"
#include "sim/simulate.h"

namespace spillway {
namespace {

using Buckets = std::vector<std::vector<BufferId>>;

std::vector<CompletedGradient> completed_gradients(const Trace& step, std::int64_t batch) {
  const BatchCosts& costs = costs_at(step, batch);
  IdVector<OpId, Seconds> ends;
  Seconds now;
  for (const OpId op : step.graph.ops.ids()) ends.push_back(now += cost(costs, op).in_step() + step.issue);
  const IdVector<BufferId, OpId> completed = last_writes_before_updates(step.graph);
  std::vector<CompletedGradient> gradients;
  for (const BufferId id : parameter_gradients(step.graph)) {
    gradients.push_back(
        {.gradient = id, .bytes = bytes(step.graph.buffers[id], batch), .completed = ends[completed[id]]});
  }
  return gradients;
}

/// What all-reduces take by size, looked up instead of worked out: four points for each doubling, straight lines
/// between them.
class AllReduceTimes {
 public:
  AllReduceTimes(const Trace& trace, const Machine& machine, Bytes most) {
    for (double size = kSmallest; points_.empty() || points_.back().first < static_cast<double>(most.value);
         size *= kStep) {
      const Bytes bytes{static_cast<std::int64_t>(size)};
      const std::optional<Seconds> measured = measured_all_reduce(trace, machine.platform(), bytes);
      points_.emplace_back(size, measured ? *measured : machine.fastest_all_reduce(bytes).seconds);
    }
  }
  [[nodiscard]] Seconds operator()(Bytes size) const {
    const auto wanted = static_cast<double>(size.value);
    const auto at = static_cast<std::size_t>(std::max(0.0, std::log(wanted / kSmallest) / std::log(kStep)));
    const auto& [from, begin] = points_[std::min(at, points_.size() - 1)];
    const auto& [to, end] = points_[std::min(at + 1, points_.size() - 1)];
    return to > from ? begin + std::clamp((wanted - from) / (to - from), 0.0, 1.0) * (end - begin) : begin;
  }

 private:
  static constexpr double kSmallest = 256, kStep = 1.189207115002721;  // 2^(1/4)
  std::vector<std::pair<double, Seconds>> points_;
};

Buckets of_at_least(const std::vector<CompletedGradient>& gradients, Bytes least) {
  Buckets buckets;
  Bytes filled = least;
  for (const CompletedGradient& gradient : gradients) {
    if (filled >= least) {
      buckets.emplace_back();
      filled = {};
    }
    buckets.back().push_back(gradient.gradient);
    filled += gradient.bytes;
  }
  return buckets;
}

std::vector<GradientReduction> candidates(const Trace& step, const Machine& machine, std::int64_t batch) {
  const std::vector<CompletedGradient> gradients = completed_gradients(step, batch);
  std::vector<GradientReduction> ways;
  if (gradients.empty()) return ways;
  Bytes all;
  for (const CompletedGradient& gradient : gradients) all += gradient.bytes;
  const auto add = [&](Buckets buckets) {
    GradientReduction way{.buckets = std::move(buckets), .updates_behind = 1};
    const auto count = static_cast<std::int64_t>(way.buckets.size());
    for (const std::int64_t behind : {std::int64_t{1}, std::int64_t{4}, count}) {
      way.updates_behind = std::min(behind, count);
      if (std::ranges::find(ways, way) == ways.end()) ways.push_back(way);
    }
  };
  for (const Bytes least : {1_MiB, 4_MiB, 16_MiB, 64_MiB, 256_MiB, Bytes{std::numeric_limits<std::int64_t>::max()}})
    add(of_at_least(gradients, least));
  add(shortest_buckets(gradients, AllReduceTimes(step, machine, all)));
  return ways;
}

}  // namespace

std::vector<ReductionWay> reduction_ways(const Trace& trace, const Platform& platform, std::int64_t batch,
                                         std::int64_t micro_batches) {
  const Machine machine(platform);
  std::vector<ReductionWay> ways;
  const Trace alone = planned_step(trace, micro_batches, std::nullopt);
  for (const GradientReduction& reduction : candidates(alone, machine, batch)) {
    const Trace step = planned_step(trace, micro_batches, reduction);
    Plan plan;
    plan.platform = platform;
    plan.batch = batch;
    plan.micro_batches = micro_batches;
    plan.reduction = reduction;
    plan.capacity = {std::numeric_limits<std::int64_t>::max()};
    const Schedule schedule = std::get<Schedule>(lower(step, plan, Effort::quick));
    ways.push_back(
        {.reduction = reduction, .step = step_times(step, schedule, machine).step, .peak = schedule.peak_live_bytes});
  }
  if (ways.empty()) {
    throw input_error(
        fmt::format("'{}' has no gradients of parameters: several ranks have nothing to add up", trace.graph.name));
  }
  std::ranges::stable_sort(ways, [](const ReductionWay& a, const ReductionWay& b) {
    return a.step != b.step ? a.step < b.step : a.peak < b.peak;
  });
  return ways;
}

}  // namespace spillway
