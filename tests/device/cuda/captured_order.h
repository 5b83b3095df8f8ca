#pragma once

#include <string>

#include "core/schedule.h"
#include "core/trace.h"

namespace spillway {

/// Captures one step of `enqueued` on the fake runtime, a kernel that does nothing and copies of some bytes standing in
/// for the real ones, and compares the graph's order with that of `expected`, which has the same instructions: the same
/// reachability between all pairs of them. Returns what differs first, empty when nothing does. Leaves the fake's
/// settings as they are. `trace` is the planned step.
[[nodiscard]] std::string captured_difference(const Trace& trace, const Schedule& enqueued, const Schedule& expected);

}  // namespace spillway
