#pragma once

#include "verify/findings.h"

namespace spillway {

/// Rule 44, over the planned step: what an update or an all-reduce reads as a parameter's gradient is the mean over all
/// of the plan's micro-batches, each added once.
void check_micro_batches(const Trace& step, const Schedule& schedule, Findings& report);

}  // namespace spillway
