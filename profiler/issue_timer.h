#pragma once

#include "profiler/workbench.h"

namespace spillway {

/// What one more instruction on the compute stream costs beside its kernel: a chain of the smallest op, each one
/// waiting for an event that has been raised and raising one, as an executor enqueues them, against the same op timed
/// alone. At least zero. Throws Error (exit 3) when the device can't run AdvanceStep.
[[nodiscard]] Seconds time_issue(Workbench& bench);

/// Arena bytes that time_issue needs for its op.
[[nodiscard]] Bytes issue_operands();

}  // namespace spillway
