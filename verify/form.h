#pragma once

#include "verify/findings.h"

namespace spillway {

/// Rules 1 to 5: what every later check indexes with. Only when these hold may the others look at the Schedule.
void check_form(const Trace& trace, const Schedule& schedule, Findings& report);

/// The costs at the plan's batch, or null when there are none or they don't fit the graph.
[[nodiscard]] const BatchCosts* profiled_costs(const Trace& trace, const Schedule& schedule);

}  // namespace spillway
