#include "core/schedule.h"

#include <fmt/format.h>

#include <algorithm>

namespace spillway {

std::size_t positions(const Schedule& schedule) {
  return static_cast<std::size_t>(std::ranges::count_if(
      schedule.instructions, [](const Instruction& instruction) { return runs_op(instruction.kind); }));
}

const HostSlot* host_slot(const Schedule& schedule, BufferId buffer) {
  const auto slot = std::ranges::find(schedule.host_slots, buffer, &HostSlot::buffer);
  return slot == schedule.host_slots.end() ? nullptr : &*slot;
}

std::string name_of(const Graph& graph, const Instruction& instruction) {
  switch (instruction.kind) {
    case InstructionKind::compute:
    case InstructionKind::all_reduce:
      return instruction.run == 0 ? graph.ops[instruction.op].name
                                  : fmt::format("{}#{}", graph.ops[instruction.op].name, instruction.run + 1);
    case InstructionKind::swap_out: return "swap-out " + graph.buffers[instruction.buffer].name;
    case InstructionKind::swap_in: return "swap-in " + graph.buffers[instruction.buffer].name;
    case InstructionKind::host_update: return "host update " + graph.buffers[instruction.buffer].name;
  }
  return {};
}

}  // namespace spillway
