#include "tuner/problem.h"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "core/error.h"

namespace spillway {
namespace {

IdVector<BufferId, std::vector<Use>> uses_in_step(const Graph& graph, std::int64_t batch) {
  return uses(graph, compute_stream(graph, {}), batch);
}

}  // namespace

void add_bytes(std::vector<Bytes>& live, std::int64_t first, std::int64_t last, Bytes size) {
  const auto n = static_cast<std::int64_t>(live.size());
  for (std::int64_t position = first; position <= last; ++position) {
    live[static_cast<std::size_t>(position % n)] += size;
  }
}

Problem::Problem(const TuneRequest& request)
    : request_(request),
      machine_(request.platform),
      alignment_(alignment_for(request.platform)),
      uses_(uses_in_step(request.trace->graph, request.batch)),
      asked_(request.trace->graph.buffers.size(), Asked::nothing),
      kept_(request.trace->graph.ops.size()) {
  const BatchCosts& costs = costs_at(trace(), request.batch);
  read_constraints();
  find_stretches();
  add_kept_bytes(costs);
  Seconds now;
  for (const OpId op : graph().ops.ids()) {
    now += trace().issue + cost(costs, op).in_step();
    end_times_.push_back(now);
  }
}

void Problem::read_constraints() {
  const Constraints& constraints = request_.constraints;
  if (!constraints.recompute.empty()) {
    throw input_error(
        fmt::format("--recompute '{}': no policy recomputes yet; use --keep or --swap", constraints.recompute.front()));
  }
  std::vector<std::string> names;
  for (const Buffer& buffer : graph().buffers) names.push_back(buffer.name);
  const auto obey = [&](const std::vector<std::string>& patterns, const char* flag, Asked asked) {
    for (const std::string& pattern : patterns) {
      bool matched = false;
      for (const BufferId buffer : graph().buffers.ids()) {
        const std::string& name = graph().buffers[buffer].name;
        if (fnmatch(pattern.c_str(), name.c_str(), 0) != 0) continue;
        matched = true;
        if (asked_[buffer] != Asked::nothing && asked_[buffer] != asked) {
          throw input_error(fmt::format("{} '{}': buffer '{}' is to be kept and swapped both", flag, pattern, name));
        }
        asked_[buffer] = asked;
      }
      if (matched) continue;
      const std::string near = nearest_name(pattern, names);
      throw input_error(fmt::format("{} '{}': no buffer of '{}' has such a name{}", flag, pattern, graph().name,
                                    near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
    }
  };
  obey(constraints.keep, "--keep", Asked::keep);
  obey(constraints.swap, "--swap", Asked::swap);
}

void Problem::find_stretches() {
  const std::int64_t n = positions();
  const IdVector<BufferId, Position> arrival = arrivals(graph(), uses_);
  for (const Gap& gap : gaps(graph(), uses_, graph().ops.size())) {
    const Buffer& buffer = graph().buffers[gap.buffer];
    Stretch stretch{.gap = gap,
                    .after = gap.after.valid() ? static_cast<std::int64_t>(gap.after.index())
                                               : static_cast<std::int64_t>(arrival[gap.buffer].index()) - 1,
                    .before = 0,
                    .bytes = align_up(bytes(buffer, request_.batch), alignment_),
                    .asked = asked_[gap.buffer],
                    .lasting = is_lasting(buffer.role),
                    .can_be_away = false};
    stretch.before =
        gap.before.valid() ? static_cast<std::int64_t>(gap.before.index()) + (gap.wraps ? n : 0) : stretch.after + 1;
    stretch.can_be_away = stretch.distance() > 1;
    if (stretch.asked == Asked::swap && stretch.can_be_away) asked_swaps_.push_back(stretches_.size());
    stretches_.push_back(stretch);
  }
}

void Problem::add_kept_bytes(const BatchCosts& costs) {
  const IdVector<BufferId, Position> arrival = arrivals(graph(), uses_);
  for (const OpId op : graph().ops.ids()) kept_[op.index()] += align_up(cost(costs, op).workspace, alignment_);
  for (const BufferId id : graph().buffers.ids()) {
    const std::vector<Use>& list = uses_[id];
    if (list.empty()) continue;
    const Role role = graph().buffers[id].role;
    const Bytes size = align_up(bytes(graph().buffers[id], request_.batch), alignment_);
    const auto at = [](const Use& use) { return static_cast<std::int64_t>(use.position.index()); };
    std::int64_t first = is_lasting(role) ? 0 : at(list.front());
    if (role == Role::input) first = static_cast<std::int64_t>(arrival[id].index());
    add_bytes(kept_, first, is_lasting(role) ? positions() - 1 : at(list.back()), size);
    // Before a fresh write the old value is dead, and its bytes are free.
    for (std::size_t i = 1; i < list.size(); ++i) {
      if (list[i].fresh()) add_bytes(kept_, at(list[i - 1]) + 1, at(list[i]) - 1, Bytes{} - size);
    }
  }
}

Seconds Problem::end_time(std::int64_t position) const {
  const std::int64_t steps = position / positions();
  return end_times_[static_cast<std::size_t>(position % positions())] + end_times_.back() * static_cast<double>(steps);
}

Bytes Problem::peak(const std::vector<Away>& aways) const {
  std::vector<Bytes> live = kept_;
  for (const Away& away : aways) {
    const Stretch& stretch = stretches_[away.stretch];
    if (stretch.can_be_away) add_bytes(live, away.release + 1, away.begin - 1, Bytes{} - stretch.bytes);
  }
  return live.empty() ? Bytes{} : *std::ranges::max_element(live);
}

Swap Problem::swap(const Away& away, SwapMode mode) const {
  const Stretch& stretch = stretches_[away.stretch];
  const auto position = [&](std::int64_t number) { return Position(static_cast<std::size_t>(number % positions())); };
  return {.gap = stretch.gap,
          .release = stretch.was_there() ? position(away.release) : Position{},
          .begin = stretch.comes_back() ? position(away.begin) : Position{},
          .mode = mode,
          .remark = ""};
}

std::vector<Swap> Problem::prefetching(const std::vector<Away>& aways) const {
  std::vector<Swap> swaps;
  for (const Away& away : aways) swaps.push_back(swap(away, SwapMode::prefetch));
  return swaps;
}

Plan Problem::plan(std::vector<Swap> swaps, std::map<std::string, std::string> knobs) const {
  Plan plan;
  plan.platform = request_.platform;
  plan.reduction = request_.reduction;
  plan.batch = request_.batch;
  plan.micro_batches = request_.micro_batches;
  plan.capacity = request_.capacity;
  plan.host_capacity = request_.host_capacity;
  plan.policy = request_.policy;
  plan.knobs = std::move(knobs);
  plan.constraints = request_.constraints;
  plan.swaps = std::move(swaps);
  return plan;
}

}  // namespace spillway
