#pragma once

#include <vector>

#include "core/schedule.h"
#include "core/trace.h"
#include "verify/rule.h"

namespace spillway {

/// Everything that makes `schedule` unsafe to run on the step that `trace` describes; empty means safe: whatever the
/// durations of its instructions, the Schedule stays inside arena and host pool, never deadlocks, computes at every op
/// what the in-order step computes, and ends in the state it starts in.
///
/// Never throws on a malformed schedule: ids out of range, negative sizes and wrong operand counts come back as
/// violations, alone, since the other checks index with them. In the order of the checks; of a chain of wrong values
/// only the first is reported. Requires: mistakes(trace.graph) is empty. Cost: O(n log n) in instructions and
/// residencies, times the number of streams. It relies on two promises of a device: a kernel reads its inputs only at
/// the input addresses and writes only its outputs and its workspace; copies move exactly the buffer's bytes.
[[nodiscard]] std::vector<Violation> verify(const Trace& trace, const Schedule& schedule);

}  // namespace spillway
