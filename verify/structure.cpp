#include "verify/structure.h"

#include <fmt/format.h>

#include <set>
#include <utility>
#include <variant>

#include "verify/form.h"

namespace spillway {
namespace {

StreamRole role_for(InstructionKind kind) {
  switch (kind) {
    case InstructionKind::compute: return StreamRole::compute;
    case InstructionKind::swap_out: return StreamRole::swap_out;
    case InstructionKind::swap_in: return StreamRole::swap_in;
    case InstructionKind::all_reduce: return StreamRole::network;
    case InstructionKind::host_update: return StreamRole::host;
  }
  return StreamRole::host;
}

int rank_at_position(InstructionKind kind) {
  switch (kind) {
    case InstructionKind::swap_in: return 0;
    case InstructionKind::compute: return 1;
    case InstructionKind::all_reduce: return 2;
    case InstructionKind::swap_out: return 3;
    case InstructionKind::host_update: return 4;
  }
  return 5;
}

void check_kernels(const Trace& trace, const Schedule& schedule, Findings& report) {
  const std::size_t ops = trace.graph.ops.size();
  if (schedule.kernels.size() != ops) {
    report.add(Rule::kernels_match_trace,
               fmt::format("the schedule names {} kernels, the step has {} ops", schedule.kernels.size(), ops));
    return;
  }
  const BatchCosts& costs = *profiled_costs(trace, schedule);
  for (const OpId op : trace.graph.ops.ids())
    if (schedule.kernels[op] != cost(costs, op).kernel)
      report.add(Rule::kernels_match_trace, fmt::format("{}: found kernel '{}', the trace has '{}'", report.name(op),
                                                        schedule.kernels[op], cost(costs, op).kernel));
}

void check_streams(const Schedule& schedule, Findings& report) {
  StreamId compute, network;
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    if (schedule.streams[instruction.stream].role != role_for(instruction.kind)) {
      report.add(Rule::streams_fit_their_instructions,
                 fmt::format("{} is on stream {}, which has another role", report.name(id), instruction.stream.value));
    } else if (runs_op(instruction.kind)) {
      const bool is_compute = instruction.kind == InstructionKind::compute;
      StreamId& only = is_compute ? compute : network;
      if (!only.valid()) only = instruction.stream;
      if (only != instruction.stream)
        report.add(Rule::streams_fit_their_instructions,
                   fmt::format("{} is on stream {}, but the {} stream is {}", report.name(id), instruction.stream.value,
                               is_compute ? "compute" : "network", only.value));
    }
  }
}

void check_ops(const Trace& trace, const Schedule& schedule, Findings& report) {
  const Graph& graph = trace.graph;
  std::size_t next = 0;  // the op whose run 0 is due
  std::set<std::pair<OpId, std::uint32_t>> seen;
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    if (!runs_op(instruction.kind)) continue;
    const bool reduces = std::holds_alternative<AllReduce>(graph.ops[instruction.op].attributes);
    if (reduces != (instruction.kind == InstructionKind::all_reduce))
      report.add(Rule::streams_fit_their_instructions,
                 fmt::format("{} is {} all-reduce, its op {}", report.name(id), reduces ? "no" : "an",
                             reduces ? "is one" : "isn't"));
    if (instruction.run == 0) {
      if (instruction.op.index() != next) {
        const std::string expected = next < graph.ops.size() ? report.name(OpId(next)) : "no more";
        report.add(Rule::ops_run_once_in_graph_order, fmt::format("found {}, expected {}", report.name(id), expected));
      }
      next = instruction.op.index() + 1;
      continue;
    }
    if (!graph.ops[instruction.op].recomputable)
      report.add(Rule::reruns_are_recomputable, fmt::format("{} runs {} again, which may not be recomputed",
                                                            report.name(id), report.name(instruction.op)));
    if (!seen.emplace(instruction.op, instruction.run).second)
      report.add(Rule::reruns_are_recomputable, fmt::format("{}: run {} of {} is there twice", report.name(id),
                                                            instruction.run, report.name(instruction.op)));
  }
  if (next < graph.ops.size())
    report.add(Rule::ops_run_once_in_graph_order,
               fmt::format("the schedule ends before {} has run", report.name(OpId(next))));
}

void check_order(const Schedule& schedule, Findings& report) {
  std::size_t ops = 0;
  std::pair<std::size_t, int> last{0, 0};
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    const std::pair<std::size_t, int> key{instruction.position.index(), rank_at_position(instruction.kind)};
    if (key < last)
      report.add(Rule::instructions_are_in_total_order,
                 fmt::format("{} at position {} stands behind an instruction that comes later in the total order",
                             report.name(id), instruction.position.value));
    last = key;
    if (runs_op(instruction.kind)) {
      if (instruction.position.index() != ops)
        report.add(Rule::instructions_are_in_total_order,
                   fmt::format("{} hangs at position {}, but is number {} of the step's ops", report.name(id),
                               instruction.position.value, ops));
      ++ops;
    }
    for (const InstructionId wait : instruction.waits)
      if (wait >= id)
        report.add(Rule::waits_point_backwards,
                   fmt::format("{} waits for {}, which isn't before it", report.name(id), report.name(wait)));
  }
}

/// The operands of one instruction: what lives where, and which scratch bytes have two users.
class OperandCheck {
 public:
  OperandCheck(const Trace& trace, const Schedule& schedule, InstructionId id, Findings& report)
      : graph_(trace.graph), schedule_(schedule), id_(id), report_(report) {}

  void run() {
    const Instruction& instruction = schedule_.instructions[id_];
    if (!runs_op(instruction.kind)) {
      expect_buffer(instruction.residency, instruction.buffer);
      return;
    }
    const Op& op = graph_.ops[instruction.op];
    for (std::size_t i = 0; i < op.inputs.size(); ++i) check_input(instruction.inputs[i], op.inputs[i]);
    for (std::size_t i = 0; i < op.outputs.size(); ++i) check_output(instruction.outputs[i], op.outputs[i]);
    if (instruction.workspace.valid()) check_workspace(instruction.workspace);
  }

 private:
  [[nodiscard]] bool is_scratch(ResidencyId id) const { return !schedule_.residencies[id].buffer.valid(); }

  void check_input(ResidencyId residency, TensorId tensor) {
    const BufferId buffer = graph_.tensors[tensor].buffer;
    if (is_scratch(residency))
      report_.add(Rule::scratch_is_never_read,
                  fmt::format("{} reads {} from {}", report_.name(id_), report_.name(buffer), report_.name(residency)));
    else
      expect_buffer(residency, buffer);
  }
  void check_output(ResidencyId residency, TensorId tensor) {
    const BufferId buffer = graph_.tensors[tensor].buffer;
    if (is_scratch(residency))
      claim(residency, buffer);
    else
      expect_buffer(residency, buffer);
  }
  void check_workspace(ResidencyId residency) {
    if (is_scratch(residency))
      claim(residency, BufferId());
    else
      report_.add(Rule::operands_live_in_their_buffers,
                  fmt::format("{} has its workspace in {}", report_.name(id_), report_.name(residency)));
  }
  void expect_buffer(ResidencyId residency, BufferId buffer) {
    if (schedule_.residencies[residency].buffer != buffer)
      report_.add(Rule::operands_live_in_their_buffers,
                  fmt::format("{} uses {} for {}", report_.name(id_), report_.name(residency), report_.name(buffer)));
  }
  /// Two outputs of one buffer may share scratch, as they share the buffer; nothing else may.
  void claim(ResidencyId residency, BufferId buffer) {
    for (const auto& [other, owner] : claimed_)
      if (other == residency && (owner != buffer || !buffer.valid()))
        report_.add(Rule::scratch_is_not_shared,
                    fmt::format("{} uses {} for two operands", report_.name(id_), report_.name(residency)));
    claimed_.emplace_back(residency, buffer);
  }

  const Graph& graph_;
  const Schedule& schedule_;
  InstructionId id_;
  Findings& report_;
  std::vector<std::pair<ResidencyId, BufferId>> claimed_;
};

void check_coverage(const Schedule& schedule, Findings& report) {
  const auto expect = [&](InstructionId user, ResidencyId id) {
    const Residency& residency = schedule.residencies[id];
    if (!covers(residency, schedule.instructions[user].position))
      report.add(Rule::residency_covers_its_users,
                 fmt::format("{} at position {} uses {}, which is there at {}..{}{}", report.name(user),
                             schedule.instructions[user].position.value, report.name(id), residency.first.value,
                             residency.last.value, residency.wraps ? " around the step's end" : ""));
  };
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    if (!runs_op(instruction.kind)) {
      expect(id, instruction.residency);
      continue;
    }
    // In-place operands name one residency twice; once is enough to say.
    std::set<ResidencyId> used(instruction.inputs.begin(), instruction.inputs.end());
    used.insert(instruction.outputs.begin(), instruction.outputs.end());
    if (instruction.workspace.valid()) used.insert(instruction.workspace);
    for (const ResidencyId residency : used) expect(id, residency);
  }
}

void check_start(const Trace& trace, const Schedule& schedule, Findings& report) {
  const Graph& graph = trace.graph;
  const auto broken = [&](const std::string& text) { report.add(Rule::start_lists_lasting_buffers, text); };
  std::vector<BufferId> expected, found;
  for (const BufferId id : graph.buffers.ids())
    if (is_lasting(graph.buffers[id].role)) expected.push_back(id);
  std::set<ResidencyId> listed;
  for (const StartState& state : schedule.start) {
    found.push_back(state.buffer);
    if (!state.residency.valid()) {
      if (!state.host_valid)
        broken(fmt::format("{} is neither in the arena nor in its host slot at the step's start",
                           report.name(state.buffer)));
      continue;
    }
    listed.insert(state.residency);
    const Residency& residency = schedule.residencies[state.residency];
    if (residency.buffer != state.buffer || !residency.wraps)
      broken(fmt::format("{} starts the step in {}, which isn't a residency of it that spans the step's end",
                         report.name(state.buffer), report.name(state.residency)));
  }
  if (expected != found)
    broken(fmt::format("found {} start states, expected one for each of the {} lasting buffers, by buffer id",
                       found.size(), expected.size()));
  for (const ResidencyId id : schedule.residencies.ids()) {
    const Residency& residency = schedule.residencies[id];
    if (!residency.wraps) {
      if (residency.first > residency.last)
        report.add(Rule::residency_interval_is_sound,
                   fmt::format("{} ends at position {}, before it begins at {}", report.name(id), residency.last.value,
                               residency.first.value));
    } else if (!listed.contains(id)) {
      report.add(Rule::residency_interval_is_sound,
                 fmt::format("{} spans the step's end, but no buffer starts the step there", report.name(id)));
    }
  }
}

}  // namespace

bool covers(const Residency& residency, Position position) {
  if (residency.wraps) return position <= residency.last || position >= residency.first;
  return residency.first <= position && position <= residency.last;
}

void check_structure(const Trace& trace, const Schedule& schedule, Findings& report) {
  check_kernels(trace, schedule, report);
  check_streams(schedule, report);
  check_ops(trace, schedule, report);
  check_order(schedule, report);
  for (const InstructionId id : schedule.instructions.ids()) OperandCheck(trace, schedule, id, report).run();
  check_start(trace, schedule, report);
  check_coverage(schedule, report);
}

}  // namespace spillway
