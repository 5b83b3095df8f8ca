#include "sim/simulate.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/make_timeline.h"
#include "sim/replica.h"

namespace spillway {

Timeline simulate(const Trace& trace, const Schedule& schedule, const Platform& platform) {
  const IdVector<InstructionId, Span> spans = run_replica(trace, schedule, platform);
  Seconds step;
  for (const Span& span : spans) step = std::max(step, span.end);
  return make_timeline(trace.graph, schedule, spans, step, Timeline::Origin::predicted,
                       fmt::format("{}, batch {}, {} on {}", trace.graph.name, schedule.plan.batch,
                                   schedule.plan.policy, platform.name));
}

StepTimes step_times(const Trace& trace, const Schedule& schedule, const Platform& platform) {
  const IdVector<InstructionId, Span> spans = run_replica(trace, schedule, platform);
  StepTimes times;
  for (const InstructionId id : spans.ids()) {
    times.step = std::max(times.step, spans[id].end);
    if (schedule.instructions[id].kind == InstructionKind::compute) times.compute += spans[id].end - spans[id].start;
  }
  times.stall = times.step - times.compute;
  return times;
}

}  // namespace spillway
