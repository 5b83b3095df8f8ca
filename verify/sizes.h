#pragma once

#include "verify/findings.h"

namespace spillway {

/// Rules 18 to 27: every residency and host slot is large enough, aligned and inside its pool, and the pools fit what
/// the plan allows. Requires: rules 1 to 5 hold.
void check_sizes(const Trace& trace, const Schedule& schedule, Findings& report);

}  // namespace spillway
