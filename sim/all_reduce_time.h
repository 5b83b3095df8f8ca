#pragma once

#include <optional>

#include "core/trace.h"
#include "sim/machine.h"

namespace spillway {

/// What the trace measured for an all-reduce of this size among as many ranks as the platform has; between two measured
/// sizes on the straight line, beyond the last at its rate. Absent where there is no such curve or the platform says
/// itself how its GPUs are linked.
[[nodiscard]] std::optional<Seconds> measured_all_reduce(const Trace& trace, const Platform& platform, Bytes size);

/// How long an all-reduce of this size takes when nothing else runs: measured, or by the machine's fastest collective.
/// Throws Error (exit 2) when neither is known.
[[nodiscard]] Seconds all_reduce_seconds(const Trace& trace, const Machine& machine, Bytes size);

}  // namespace spillway
