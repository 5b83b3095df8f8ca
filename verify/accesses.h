#pragma once

#include <vector>

#include "core/schedule.h"

namespace spillway {

/// What one instruction does to a residency or to a host slot.
struct Access {
  InstructionId instruction;
  bool reads = false;
  bool writes = false;
};

/// All accesses of each residency in the total order, one per instruction. A workspace counts as written.
[[nodiscard]] IdVector<ResidencyId, std::vector<Access>> residency_accesses(const Schedule& schedule);

/// All accesses of each buffer's host slot in the total order: a swap-out writes it, a swap-in reads it.
[[nodiscard]] IdVector<BufferId, std::vector<Access>> host_slot_accesses(const Schedule& schedule, std::size_t buffers);

}  // namespace spillway
