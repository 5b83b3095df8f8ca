#include "sim/simulate.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/make_timeline.h"
#include "sim/replica.h"
#include "sim/simgrid.h"

namespace spillway {
namespace {

using Spans = IdVector<InstructionId, Span>;

Seconds end_of(const std::vector<Spans>& classes) {
  Seconds step;
  for (const Spans& spans : classes) {
    for (const Span& span : spans) step = std::max(step, span.end);
  }
  return step;
}

}  // namespace

Timeline simulate(const Trace& trace, const Schedule& schedule, const Platform& platform, Engine engine) {
  // Rank 0 is first in both: it is in class 0, or a class of its own.
  const std::vector<Spans> classes = engine == Engine::simgrid ? run_simgrid(trace, schedule, platform)
                                                               : run_replica(trace, schedule, Machine(platform));
  const std::string ranks = platform.ranks() > 1 ? fmt::format(", rank 0 of {}", platform.ranks()) : "";
  return make_timeline(trace.graph, schedule, classes.front(), end_of(classes), Timeline::Origin::predicted,
                       fmt::format("{}, batch {}, {} on {}{}", trace.graph.name, batch_text(schedule.plan),
                                   schedule.plan.policy, platform.name, ranks));
}

StepTimes step_times(const Trace& trace, const Schedule& schedule, const Machine& machine) {
  const std::vector<Spans> classes = run_replica(trace, schedule, machine);
  StepTimes times;
  times.step = end_of(classes);
  for (const InstructionId id : schedule.instructions.ids()) {
    const Span& span = classes[machine.class_of(0)][id];
    if (schedule.instructions[id].kind == InstructionKind::compute) times.compute += span.end - span.start;
  }
  times.stall = times.step - times.compute;
  return times;
}

StepTimes step_times(const Trace& trace, const Schedule& schedule, const Platform& platform) {
  return step_times(trace, schedule, Machine(platform));
}

}  // namespace spillway
