#include "verify/form.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace spillway {
namespace {

bool is_supported(InstructionKind kind) {
  return kind != InstructionKind::host_update;
}

void check_supported(const Schedule& schedule, Findings& report) {
  for (const StreamId id : schedule.streams.ids())
    if (schedule.streams[id].gpu != 0)
      report.add(Rule::not_supported_yet,
                 fmt::format("stream {} is on GPU {}; only schedules of one GPU, 0, can be verified", id.value,
                             schedule.streams[id].gpu));
  for (const InstructionId id : schedule.instructions.ids())
    if (!is_supported(schedule.instructions[id].kind))
      report.add(Rule::not_supported_yet, fmt::format("{} is a host update, which can't be verified", report.name(id)));
}

class IdCheck {
 public:
  IdCheck(const Trace& trace, const Schedule& schedule, Findings& report)
      : graph_(trace.graph), schedule_(schedule), report_(report) {
    positions_ = positions(schedule);
  }

  void run() {
    for (const ResidencyId id : schedule_.residencies.ids()) {
      const Residency& residency = schedule_.residencies[id];
      const std::string who = fmt::format("residency {}", id.value);
      if (residency.buffer.valid()) expect(who, "buffer", residency.buffer, graph_.buffers.size());
      expect(who, "first position", residency.first, positions_);
      expect(who, "last position", residency.last, positions_);
    }
    for (const InstructionId id : schedule_.instructions.ids()) check(id);
    for (std::size_t i = 0; i < schedule_.host_slots.size(); ++i)
      expect(fmt::format("host slot {}", i), "buffer", schedule_.host_slots[i].buffer, graph_.buffers.size());
    for (std::size_t i = 0; i < schedule_.start.size(); ++i) {
      const std::string who = fmt::format("start state {}", i);
      expect(who, "buffer", schedule_.start[i].buffer, graph_.buffers.size());
      if (schedule_.start[i].residency.valid()) expect_residency(who, "residency", schedule_.start[i].residency);
    }
  }

 private:
  void check(InstructionId id) {
    const Instruction& instruction = schedule_.instructions[id];
    const std::string who = report_.name(id);
    expect(who, "stream", instruction.stream, schedule_.streams.size());
    expect(who, "position", instruction.position, positions_);
    for (const InstructionId wait : instruction.waits) expect(who, "wait", wait, schedule_.instructions.size());
    if (!runs_op(instruction.kind)) {
      expect(who, "buffer", instruction.buffer, graph_.buffers.size());
      expect_residency(who, "residency", instruction.residency);
      return;
    }
    expect(who, "op", instruction.op, graph_.ops.size());
    for (const ResidencyId input : instruction.inputs) expect_residency(who, "input", input);
    for (const ResidencyId output : instruction.outputs) expect_residency(who, "output", output);
    if (instruction.workspace.valid()) expect_residency(who, "workspace", instruction.workspace);
  }
  void expect_residency(const std::string& who, const char* what, ResidencyId id) {
    expect(who, what, id, schedule_.residencies.size());
  }
  template <class I>
  void expect(const std::string& who, const char* what, I id, std::size_t size) {
    if (id.valid() && id.index() < size) return;
    const std::string found = id.valid() ? std::to_string(id.value) : "none";
    report_.add(Rule::ids_are_in_range,
                fmt::format("{}: {}: found {}, expected an id below {}", who, what, found, size));
  }

  const Graph& graph_;
  const Schedule& schedule_;
  Findings& report_;
  std::size_t positions_ = 0;
};

void check_sizes_are_sound(const Schedule& schedule, Findings& report) {
  const auto expect = [&](const std::string& what, Bytes size) {
    if (size.value < 0)
      report.add(Rule::sizes_are_sound, fmt::format("{}: found {} bytes, expected 0 or more", what, size.value));
  };
  const auto expect_range = [&](const std::string& what, Bytes offset, Bytes size) {
    expect(what + ": offset", offset);
    expect(what + ": bytes", size);
    if (offset.value > 0 && size.value > std::numeric_limits<std::int64_t>::max() - offset.value)
      report.add(Rule::sizes_are_sound, fmt::format("{}: offset {} and {} bytes add up to more than 64 bits hold", what,
                                                    offset.value, size.value));
  };
  for (const ResidencyId id : schedule.residencies.ids())
    expect_range(fmt::format("residency {}", id.value), schedule.residencies[id].offset,
                 schedule.residencies[id].bytes);
  for (std::size_t i = 0; i < schedule.host_slots.size(); ++i)
    expect_range(fmt::format("host slot {}", i), schedule.host_slots[i].offset, schedule.host_slots[i].bytes);
  expect("arena", schedule.arena_bytes);
  expect("host pool", schedule.host_bytes);
  const std::int64_t alignment = schedule.alignment.value;
  if (alignment <= 0 || (alignment & (alignment - 1)) != 0)
    report.add(Rule::sizes_are_sound, fmt::format("alignment: found {}, expected a power of two", alignment));
}

void check_operand_counts(const Trace& trace, const Schedule& schedule, Findings& report) {
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    if (!runs_op(instruction.kind) || !in_range(instruction.op, trace.graph.ops)) continue;
    const Op& op = trace.graph.ops[instruction.op];
    if (instruction.inputs.size() != op.inputs.size() || instruction.outputs.size() != op.outputs.size())
      report.add(
          Rule::operand_counts_match,
          fmt::format("{}: found {} inputs and {} outputs, the op has {} and {}", report.name(id),
                      instruction.inputs.size(), instruction.outputs.size(), op.inputs.size(), op.outputs.size()));
  }
}

}  // namespace

const BatchCosts* profiled_costs(const Trace& trace, const Schedule& schedule) {
  const auto found = std::ranges::find(trace.batches, schedule.plan.batch, &BatchCosts::batch);
  if (found == trace.batches.end() || found->kernel_of.size() != trace.graph.ops.size()) return nullptr;
  const auto exists = [&](std::uint32_t kernel) { return kernel < found->kernels.size(); };
  return std::ranges::all_of(found->kernel_of, exists) ? &*found : nullptr;
}

void check_form(const Trace& trace, const Schedule& schedule, Findings& report) {
  check_supported(schedule, report);
  // The other rules don't know the fields of unsupported instructions.
  if (!report.empty()) return;
  IdCheck(trace, schedule, report).run();
  check_sizes_are_sound(schedule, report);
  check_operand_counts(trace, schedule, report);
  if (profiled_costs(trace, schedule) == nullptr)
    report.add(Rule::batch_is_profiled,
               fmt::format("the plan's batch is {}; the trace has no complete costs for it", schedule.plan.batch));
}

}  // namespace spillway
