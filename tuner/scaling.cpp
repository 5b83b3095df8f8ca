#include "tuner/scaling.h"

#include <algorithm>
#include <map>
#include <string>

#include "core/planned_step.h"

namespace spillway {
namespace {

Platform one_rank(const Platform& platform) {
  Platform one = with_gpus(platform, 1).value_or(platform);
  one.gpus_per_node = 1;
  one.nodes = 1;
  return one;
}

/// Whether release and begin lie in this order inside the gap, positions counted on from its start.
bool is_inside(const Swap& swap, std::size_t positions) {
  if (!swap.gap.after.valid()) return swap.begin <= swap.gap.before;
  if (!swap.gap.before.valid()) return swap.release >= swap.gap.after;
  const auto from_start = [&](Position position) {
    return (position.index() + positions - swap.gap.after.index()) % positions;
  };
  const std::size_t end = swap.gap.before == swap.gap.after ? positions : from_start(swap.gap.before);
  return from_start(swap.release) < from_start(swap.begin) && from_start(swap.begin) <= end;
}

/// The swaps of a plan for `from`, for `to`, whose ops are the same but for all-reduces and later updates. What has no
/// counterpart there is kept in the arena.
std::vector<Swap> carried_over(const std::vector<Swap>& swaps, const Graph& from, const Graph& to, std::int64_t batch) {
  std::map<std::string, Position> positions;
  for (const OpId op : to.ops.ids()) positions.emplace(to.ops[op].name, Position(op.index()));
  const auto there = [&](Position position) {
    return position.valid() ? positions.at(from.ops[OpId(position.index())].name) : Position{};
  };
  const IdVector<Position, OpRun> stream = compute_stream(to, {});
  const std::vector<Gap> all = gaps(to, uses(to, stream, batch), stream.size());
  std::vector<Swap> carried;
  for (const Swap& swap : swaps) {
    Swap same = swap;
    same.gap.after = there(swap.gap.after);
    same.gap.before = there(swap.gap.before);
    same.release = there(swap.release);
    same.begin = there(swap.begin);
    if (std::ranges::find(all, same.gap) == all.end()) continue;
    if (!is_inside(same, stream.size())) {  // a moved update stood at its edge
      same.release = same.gap.after;
      same.begin = same.gap.before;
    }
    carried.push_back(same);
  }
  return carried;
}

}  // namespace

std::optional<Scaling> scaling(const TuneRequest& request, const Tuned& tuned) {
  TuneRequest alone = request;
  alone.platform = one_rank(request.platform);
  alone.reduction.reset();
  alone.reduction_ways = {};
  alone.progress = nullptr;
  const std::variant<Tuned, NothingFits> found = tune(alone);
  const Tuned* one = std::get_if<Tuned>(&found);
  if (!one) return std::nullopt;
  Scaling scaling{.one_rank = one->times.step,
                  .efficiency = one->times.step / tuned.times.step,
                  .with_one_rank_plan = std::nullopt};
  const Trace alone_step = planned_step(*request.trace, request.micro_batches, std::nullopt);
  const Trace step = planned_step(*request.trace, request.micro_batches, tuned.plan.reduction);
  Plan plan = tuned.plan;
  plan.swaps = carried_over(one->plan.swaps, alone_step.graph, step.graph, request.batch);
  std::variant<Schedule, Shortfall> lowered = lower(step, plan);
  if (const Schedule* schedule = std::get_if<Schedule>(&lowered))
    scaling.with_one_rank_plan = step_times(step, *schedule, request.platform).step;
  return scaling;
}

}  // namespace spillway
