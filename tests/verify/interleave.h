#pragma once

#include <optional>
#include <string>

#include "core/schedule.h"
#include "core/trace.h"

namespace spillway {

/// An oracle for the verifier that knows none of its rules: runs the Schedule for three steps on simulated bytes,
/// starting and completing instructions in a random order that streams and waits allow, and compares losses and lasting
/// buffers with the in-order step.
///
/// Outputs are garbage from an instruction's start to its completion, and an instruction whose sources change in
/// between computes garbage; so an interleaving that shows a race shows it surely. Returns what came out wrong, or
/// nothing. Requires: rules 1 to 17 hold, and sizes and offsets are multiples of 4 inside arena and host pool.
[[nodiscard]] std::optional<std::string> wrong_result(const Trace& trace, const Schedule& schedule, unsigned seed);

}  // namespace spillway
