#pragma once

#include <optional>

#include "core/trace.h"
#include "sim/machine.h"

namespace spillway {

/// What the trace measured for an all-reduce of this size among as many ranks as the platform has; between two measured
/// sizes on the straight line, beyond the last at its rate. Absent where there is no such curve or the platform says
/// itself how its GPUs are linked.
[[nodiscard]] std::optional<Seconds> measured_all_reduce(const Trace& trace, const Platform& platform, Bytes size);

}  // namespace spillway
