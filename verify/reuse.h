#pragma once

#include "verify/accesses.h"
#include "verify/findings.h"
#include "verify/happens_before.h"

namespace spillway {

/// Rules 28 and 29: of two residencies that share bytes of the arena, one is over by position before the other begins,
/// and all users of the one have completed before any user of the other starts. A residency that spans the step's end
/// counts twice: at the step's start and at its end. Requires: rules 1 to 17 hold. Cost: a sweep over positions with a
/// map from addresses to their last residents; n log n where residencies rarely split one another.
void check_reuse(const Schedule& schedule, const IdVector<ResidencyId, std::vector<Access>>& accesses,
                 const HappensBefore& happens_before, Findings& report);

}  // namespace spillway
