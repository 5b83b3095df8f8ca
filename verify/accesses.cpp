#include "verify/accesses.h"

namespace spillway {

IdVector<ResidencyId, std::vector<Access>> residency_accesses(const Schedule& schedule) {
  IdVector<ResidencyId, std::vector<Access>> accesses(schedule.residencies.size());
  for (const InstructionId id : schedule.instructions.ids()) {
    const auto add = [&](ResidencyId residency, bool reads, bool writes) {
      std::vector<Access>& list = accesses[residency];
      if (list.empty() || list.back().instruction != id) list.push_back({id});
      list.back().reads |= reads;
      list.back().writes |= writes;
    };
    const Instruction& instruction = schedule.instructions[id];
    if (runs_op(instruction.kind)) {
      for (const ResidencyId input : instruction.inputs) add(input, true, false);
      for (const ResidencyId output : instruction.outputs) add(output, false, true);
      if (instruction.workspace.valid()) add(instruction.workspace, false, true);
    } else {
      const bool reads = instruction.kind == InstructionKind::swap_out;
      add(instruction.residency, reads, !reads);
    }
  }
  return accesses;
}

IdVector<BufferId, std::vector<Access>> host_slot_accesses(const Schedule& schedule, std::size_t buffers) {
  IdVector<BufferId, std::vector<Access>> accesses(buffers);
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    if (runs_op(instruction.kind)) continue;
    const bool reads = instruction.kind == InstructionKind::swap_in;
    accesses[instruction.buffer].push_back({id, reads, !reads});
  }
  return accesses;
}

}  // namespace spillway
