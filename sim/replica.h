#pragma once

#include "core/make_timeline.h"
#include "core/schedule.h"
#include "core/trace.h"

namespace spillway {

/// The replica engine: one GPU with its host link.
///
/// Streams run their instructions in order; an instruction starts when its stream and its waits are through. A compute
/// takes its measured seconds plus the cost to issue it; while copies run it progresses slower, by its own measured
/// interference in proportion to the bytes that cross the link. A copy first takes the link's start-up, then its bytes
/// at the rate of sim/link.h. Returns one span per instruction, from time 0 at the step's start. Cost: O(instructions *
/// streams). Throws Error (exit 2) when the schedule's waits can't all be met (a cycle).
[[nodiscard]] IdVector<InstructionId, Span> run_replica(const Trace& trace, const Schedule& schedule,
                                                        const Platform& platform);

}  // namespace spillway
