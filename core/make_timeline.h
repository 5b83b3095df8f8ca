#pragma once

#include <string>

#include "core/timeline.h"

namespace spillway {

/// When one instruction ran, from the step's start.
struct Span {
  Seconds start, end;
};

/// A timeline from the spans of a schedule's instructions: events, resident bytes over time, step and stall.
/// A residency counts as resident from the start of its first user to the end of its last. `step` is the time of the
/// join.
[[nodiscard]] Timeline make_timeline(const Graph& graph, const Schedule& schedule,
                                     const IdVector<InstructionId, Span>& spans, Seconds step, Timeline::Origin origin,
                                     const std::string& title);

/// Bytes that an instruction moves over links: a copy's buffer, all that an all-reduce adds up, nothing for a compute.
[[nodiscard]] Bytes bytes_over_links(const Graph& graph, const Instruction& instruction, std::int64_t batch);

}  // namespace spillway
