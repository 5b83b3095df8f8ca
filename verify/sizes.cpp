#include "verify/sizes.h"

#include <fmt/format.h>

#include <algorithm>

#include "verify/form.h"

namespace spillway {
namespace {

void check_residencies(const Trace& trace, const Schedule& schedule, Findings& report) {
  for (const ResidencyId id : schedule.residencies.ids()) {
    const Residency& residency = schedule.residencies[id];
    if (residency.buffer.valid()) {
      const Bytes needed = bytes(trace.graph.buffers[residency.buffer], schedule.plan.batch);
      if (residency.bytes < needed)
        report.add(Rule::residency_holds_its_buffer, fmt::format("{} has {} bytes, the buffer needs {}",
                                                                 report.name(id), residency.bytes.value, needed.value));
    }
    if (residency.offset.value % schedule.alignment.value != 0)
      report.add(Rule::addresses_are_aligned,
                 fmt::format("{}: the offset isn't a multiple of {}", report.name(id), schedule.alignment.value));
    if (residency.offset + residency.bytes > schedule.arena_bytes)
      report.add(Rule::arena_holds_every_residency,
                 fmt::format("{} ends behind the arena's end at {}", report.name(id), schedule.arena_bytes.value));
  }
  if (schedule.arena_bytes > schedule.plan.capacity)
    report.add(Rule::arena_fits_capacity,
               fmt::format("the arena has {} bytes, the capacity is {}: over by {}", schedule.arena_bytes.value,
                           schedule.plan.capacity.value, (schedule.arena_bytes - schedule.plan.capacity).value));
}

/// Workspaces, and scratch outputs: bytes that no buffer's size vouches for.
void check_scratch(const Trace& trace, const Schedule& schedule, Findings& report) {
  const BatchCosts& costs = *profiled_costs(trace, schedule);
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    if (!runs_op(instruction.kind)) continue;
    const Bytes needed = cost(costs, instruction.op).workspace;
    const Bytes found = instruction.workspace.valid() ? schedule.residencies[instruction.workspace].bytes : Bytes{0};
    if (found < needed)
      report.add(Rule::workspace_holds_its_kernel, fmt::format("{} has {} bytes of workspace, its kernel needs {}",
                                                               report.name(id), found.value, needed.value));
    const Op& op = trace.graph.ops[instruction.op];
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      const Residency& residency = schedule.residencies[instruction.outputs[i]];
      const BufferId buffer = trace.graph.tensors[op.outputs[i]].buffer;
      const Bytes size = bytes(trace.graph.buffers[buffer], schedule.plan.batch);
      if (!residency.buffer.valid() && residency.bytes < size)
        report.add(Rule::residency_holds_its_buffer,
                   fmt::format("{} leaves {} in {}, which is too small for its {} bytes", report.name(id),
                               report.name(buffer), report.name(instruction.outputs[i]), size.value));
    }
  }
}

std::string name_of_slot(const HostSlot& slot, const Findings& report) {
  return fmt::format("host slot of {} at {}..{}", report.name(slot.buffer), slot.offset.value,
                     (slot.offset + slot.bytes).value);
}

void check_host_slots(const Trace& trace, const Schedule& schedule, Findings& report) {
  const Graph& graph = trace.graph;
  IdVector<BufferId, const HostSlot*> slot_of(graph.buffers.size());
  BufferId last;
  for (const HostSlot& slot : schedule.host_slots) {
    const Bytes needed = bytes(graph.buffers[slot.buffer], schedule.plan.batch);
    if (last.valid() && slot.buffer <= last)
      report.add(Rule::buffers_have_host_slots,
                 fmt::format("{} isn't listed by buffer id, or is there twice", name_of_slot(slot, report)));
    last = slot.buffer;
    slot_of[slot.buffer] = &slot;
    if (slot.bytes < needed)
      report.add(Rule::host_slot_holds_its_buffer,
                 fmt::format("{} is smaller than the buffer's {} bytes", name_of_slot(slot, report), needed.value));
    if (slot.offset.value % schedule.alignment.value != 0)
      report.add(Rule::addresses_are_aligned, fmt::format("{}: the offset isn't a multiple of {}",
                                                          name_of_slot(slot, report), schedule.alignment.value));
    if (slot.offset + slot.bytes > schedule.host_bytes)
      report.add(Rule::host_pool_holds_every_slot, fmt::format("{} ends behind the host pool's end at {}",
                                                               name_of_slot(slot, report), schedule.host_bytes.value));
  }

  std::vector<const char*> reason(graph.buffers.size(), nullptr);
  for (const BufferId id : graph.buffers.ids()) {
    if (graph.buffers[id].role == Role::input) reason[id.index()] = "it begins each step there";
    if (graph.buffers[id].role == Role::loss) reason[id.index()] = "it ends each step there";
  }
  for (const StartState& state : schedule.start)
    if (state.host_valid) reason[state.buffer.index()] = "the start state says that it is there";
  for (const Instruction& instruction : schedule.instructions)
    if (!runs_op(instruction.kind)) reason[instruction.buffer.index()] = "it is copied";
  for (const BufferId id : graph.buffers.ids())
    if (reason[id.index()] != nullptr && slot_of[id] == nullptr)
      report.add(Rule::buffers_have_host_slots,
                 fmt::format("{} has no host slot, but {}", report.name(id), reason[id.index()]));
}

void check_host_pool(const Schedule& schedule, Findings& report) {
  std::vector<const HostSlot*> by_offset;
  for (const HostSlot& slot : schedule.host_slots)
    if (slot.bytes.value > 0) by_offset.push_back(&slot);
  std::ranges::stable_sort(by_offset, {}, [](const HostSlot* slot) { return slot->offset; });
  for (std::size_t i = 1; i < by_offset.size(); ++i) {
    const HostSlot& one = *by_offset[i - 1];
    const HostSlot& other = *by_offset[i];
    if (one.offset + one.bytes > other.offset)
      report.add(Rule::host_slots_do_not_overlap,
                 fmt::format("{} overlaps the {}", name_of_slot(one, report), name_of_slot(other, report)));
  }
  const std::optional<Bytes>& capacity = schedule.plan.host_capacity;
  if (capacity && schedule.host_bytes > *capacity)
    report.add(Rule::host_pool_fits_capacity,
               fmt::format("the host pool has {} bytes, the host capacity is {}: over by {}", schedule.host_bytes.value,
                           capacity->value, (schedule.host_bytes - *capacity).value));
}

}  // namespace

void check_sizes(const Trace& trace, const Schedule& schedule, Findings& report) {
  check_residencies(trace, schedule, report);
  check_scratch(trace, schedule, report);
  check_host_slots(trace, schedule, report);
  check_host_pool(schedule, report);
}

}  // namespace spillway
