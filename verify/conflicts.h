#pragma once

#include "verify/accesses.h"
#include "verify/findings.h"
#include "verify/happens_before.h"

namespace spillway {

/// Rules 30 to 35: two accesses of one residency or one host slot, of which at least one writes, happen one after the
/// other. Reads beside reads are fine: a swap-out may run beside later readers. Requires: rules 1 to 17 hold.
void check_conflicts(const Schedule& schedule, const IdVector<ResidencyId, std::vector<Access>>& residencies,
                     const IdVector<BufferId, std::vector<Access>>& host_slots, const HappensBefore& happens_before,
                     Findings& report);

}  // namespace spillway
