#pragma once

#include "core/trace.h"
#include "verify/findings.h"

namespace spillway {

/// With several ranks: every gradient that an update reads has been all-reduced exactly once since it was written last.
/// Without the sum, ranks would drift apart; with two, gradients would be too small.
void check_reductions(const Trace& step, const Schedule& schedule, Findings& report);

}  // namespace spillway
