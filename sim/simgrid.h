#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/make_timeline.h"
#include "core/schedule.h"
#include "core/trace.h"

namespace spillway {

/// The SimGrid that Spillway was built with, such as `3.32`; absent: without one.
[[nodiscard]] std::optional<std::string> simgrid_version();

/// The SimGrid engine: every rank of the platform runs the schedule for itself, and SimGrid's fluid model says what
/// they get of the links that they share.
///
/// It obeys the same rules as run_replica(), on the same Topology and Collectives, with two differences: an op isn't
/// slowed down by copies, and nothing is folded. Each Resource is a SHARED link; each rank has a host per stream, on
/// which delays and ops run, and one more host at the end of each of its flows.
///
/// Returns the spans of each rank, from time 0 at the step's start. Each call runs in a process of its own, since
/// SimGrid has one engine per process; several threads may call it at once. Throws Error: exit 2 when the schedule's
/// waits can't all be met or nothing says how long an all-reduce takes; exit 3 when SimGrid fails, or Spillway was
/// built without it.
[[nodiscard]] std::vector<IdVector<InstructionId, Span>> run_simgrid(const Trace& trace, const Schedule& schedule,
                                                                     const Platform& platform);

}  // namespace spillway
