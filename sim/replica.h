#pragma once

#include <vector>

#include "core/error.h"
#include "core/make_timeline.h"
#include "core/schedule.h"
#include "core/trace.h"
#include "sim/machine.h"

namespace spillway {

/// The replica engine: all ranks run the same schedule, and ranks that see the same contention are run once.
///
/// Streams run their instructions in order; an instruction starts when its stream and its waits are through. A compute
/// takes its measured seconds plus the cost to issue it; while copies or collectives move bytes of its GPU it
/// progresses slower, by its own measured interference in proportion to those bytes. A copy first takes the link's
/// start-up, then its bytes at the max-min fair rate of its route. An all-reduce begins when all ranks have reached it
/// and runs the fastest of the machine's collectives for its size, stage by stage; where the trace has a measured curve
/// for as many ranks and the platform doesn't say how its GPUs are linked, it takes that long.
///
/// Returns the spans of each class of ranks, from time 0 at the step's start. Cost: O(instructions * streams *
/// classes). Throws Error (exit 2) when the schedule's waits can't all be met (a cycle), or when nothing says how long
/// an all-reduce takes.
[[nodiscard]] std::vector<IdVector<InstructionId, Span>> run_replica(const Trace& trace, const Schedule& schedule,
                                                                     const Machine& machine);

/// What is wrong with a schedule that stops at this instruction (exit 2).
[[nodiscard]] Error never_gets_past(const Graph& graph, const Instruction& instruction);

}  // namespace spillway
