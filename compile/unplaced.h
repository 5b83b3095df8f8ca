#pragma once

#include <vector>

#include "core/schedule.h"

namespace spillway {

/// One access of an instruction to a residency.
struct ResidencyAccess {
  InstructionId instruction;
  bool reads = false;
  bool writes = false;
};

/// A schedule whose residencies have no addresses and whose instructions wait for nothing yet. Nobody can run it: it is
/// another type.
struct UnplacedSchedule {
  Schedule schedule;
  IdVector<ResidencyId, std::vector<ResidencyAccess>> accesses;  ///< of each residency, in instruction order
  /// Per instruction the waits that are decisions, not consequences: triggers and blocking swaps.
  IdVector<InstructionId, std::vector<InstructionId>> asked_waits;
};

}  // namespace spillway
