#pragma once

#include "verify/findings.h"

namespace spillway {

/// Rules 36 to 42: value numbering. Runs the Schedule on value numbers instead of bytes and compares what every op
/// reads with what it reads in the in-order step, and the state at the step's end with the one that the next step
/// starts from.
///
/// It runs in the total order, one of those that streams and waits allow. The others read the same values, if no two
/// conflicting accesses are unordered (rules 28 to 35). Requires: rules 1 to 17 hold.
void check_values(const Trace& trace, const Schedule& schedule, Findings& report);

}  // namespace spillway
