#include "tuner/choose.h"

#include <limits>
#include <utility>

#include "tuner/stretch.h"

namespace spillway {

std::variant<Tuned, Shortfall> tuned(const Problem& problem, std::vector<Swap> swaps,
                                     std::map<std::string, std::string> knobs) {
  Plan plan = problem.plan(std::move(swaps), std::move(knobs));
  std::variant<Schedule, Shortfall> lowered = lower(problem.trace(), plan);
  if (const auto* shortfall = std::get_if<Shortfall>(&lowered)) return *shortfall;
  Schedule& schedule = std::get<Schedule>(lowered);
  const StepTimes times = step_times(problem.trace(), schedule, problem.machine());
  return Tuned{.plan = std::move(plan), .schedule = std::move(schedule), .times = times};
}

std::variant<Bytes, Shortfall> arena_bytes(const Problem& problem, std::vector<Swap> swaps) {
  Plan plan = problem.plan(std::move(swaps), {});
  plan.capacity = {std::numeric_limits<std::int64_t>::max()};
  std::variant<Schedule, Shortfall> lowered = lower(problem.trace(), plan, Effort::smallest);
  if (const auto* shortfall = std::get_if<Shortfall>(&lowered)) return *shortfall;
  return std::get<Schedule>(lowered).arena_bytes;
}

std::vector<Swap> only_asked_swaps(const Problem& problem) {
  return problem.prefetching(shortest_stays(problem, problem.asked_swaps()));
}

Bytes a_little_below(Bytes capacity, Bytes alignment) {
  const std::int64_t below = capacity.value - (capacity.value + 999) / 1000;
  return {below / alignment.value * alignment.value};
}

}  // namespace spillway
