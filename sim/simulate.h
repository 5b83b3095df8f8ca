#pragma once

#include "core/schedule.h"
#include "core/timeline.h"
#include "core/trace.h"
#include "sim/machine.h"

namespace spillway {

/// Who computes when everything starts and ends. Both obey the same rules on the same topology; docs/simulation.md says
/// how far they were compared.
enum class Engine {
  replica,  ///< ours, fast: equal ranks are run once; knows that copies slow ops down
  simgrid,  ///< SimGrid's, every rank for itself; knows no such interference
};

/// Predicts one step of the schedule on `platform`: the step's time on all its ranks, and what rank 0 does.
/// Throws Error (exit 2) when its batch wasn't profiled or its waits form a cycle; (exit 3) when the engine isn't built
/// in.
[[nodiscard]] Timeline simulate(const Trace& trace, const Schedule& schedule, const Platform& platform,
                                Engine engine = Engine::replica);

/// What a search needs of it, without the events.
struct StepTimes {
  Seconds step;
  Seconds compute;  ///< sum of rank 0's compute spans: what a step would take if it never had to wait
  Seconds stall;    ///< step - compute
};
[[nodiscard]] StepTimes step_times(const Trace& trace, const Schedule& schedule, const Platform& platform);
[[nodiscard]] StepTimes step_times(const Trace& trace, const Schedule& schedule, const Machine& machine);

}  // namespace spillway
