#include "verify/values.h"

#include <fmt/format.h>

#include "verify/reference_step.h"
#include "verify/structure.h"

namespace spillway {
namespace {

/// What a residency or a host slot holds, and who put it there (invalid: the step before, or nobody).
struct Content {
  Value value = kUnwritten;
  InstructionId writer;
};

bool is(Value found, Value expected) {
  return found == kForgiven || found == expected;
}

class ValueRun {
 public:
  ValueRun(const Trace& trace, const Schedule& schedule, Findings& report)
      : graph_(trace.graph),
        schedule_(schedule),
        report_(report),
        reference_(trace.graph, schedule.plan.batch),
        arena_(schedule.residencies.size()),
        host_(trace.graph.buffers.size()),
        has_returned_(schedule.residencies.size(), 0) {
    for (const BufferId id : graph_.buffers.ids())
      if (graph_.buffers[id].role == Role::input) host_[id].value = reference_.at_start(id);
    for (const StartState& state : schedule.start) {
      const Value value = reference_.at_start(state.buffer);
      if (state.residency.valid()) arena_[state.residency].value = value;
      if (state.host_valid) host_[state.buffer].value = value;
    }
  }

  void run() {
    for (const InstructionId id : schedule_.instructions.ids()) {
      switch (schedule_.instructions[id].kind) {
        case InstructionKind::compute:
        case InstructionKind::all_reduce: run_op(id); break;
        case InstructionKind::swap_out: swap_out(id); break;
        case InstructionKind::swap_in: swap_in(id); break;
        default: break;
      }
    }
    check_end();
  }

 private:
  /// The residency's content. One that spans the step's end begins anew when it comes back: others had its bytes in
  /// between.
  Content& content(ResidencyId id, Position position) {
    const Residency& residency = schedule_.residencies[id];
    if (residency.wraps && !spans_whole_step(residency) && position >= residency.first && has_returned_[id] == 0) {
      has_returned_[id] = 1;
      arena_[id] = {};
    }
    return arena_[id];
  }

  void run_op(InstructionId id) {
    const Instruction& instruction = schedule_.instructions[id];
    const ReferenceStep::Operands& expected = reference_.operands(instruction.op);
    for (std::size_t i = 0; i < instruction.inputs.size(); ++i) read(id, instruction.inputs[i], expected.inputs[i]);
    // A wrong read has been reported, so from here on the op has read the right values.
    for (std::size_t i = 0; i < instruction.outputs.size(); ++i) {
      const ResidencyId residency = instruction.outputs[i];
      if (!schedule_.residencies[residency].buffer.valid()) continue;
      Content& target = content(residency, instruction.position);
      const ReferenceStep::Output& output = expected.outputs[i];
      const bool has_rest = !output.on_top_of || is(target.value, *output.on_top_of);
      target = {has_rest ? output.value : kMixed, id};
    }
  }

  void read(InstructionId id, ResidencyId residency, Value expected) {
    Content& found = content(residency, schedule_.instructions[id].position);
    if (is(found.value, expected)) return;
    if (found.value == kUnwritten) {
      report_unwritten(id, residency);
    } else {
      const bool copied = found.writer.valid() && schedule_.instructions[found.writer].kind == InstructionKind::swap_in;
      report_.add(
          copied ? Rule::host_copy_is_current : Rule::operand_has_its_value,
          fmt::format("{} reads {}, which holds {}{}, expected {}", report_.name(id), report_.name(residency),
                      name(found.value), copied ? ", brought by " + report_.name(found.writer) : "", name(expected)));
    }
    found.value = kForgiven;
  }

  void swap_out(InstructionId id) {
    const Instruction& instruction = schedule_.instructions[id];
    Content& source = content(instruction.residency, instruction.position);
    if (source.value == kUnwritten) {
      report_unwritten(id, instruction.residency);
      source.value = kForgiven;
    }
    host_[instruction.buffer] = {source.value, id};
  }

  void swap_in(InstructionId id) {
    const Instruction& instruction = schedule_.instructions[id];
    Content& source = host_[instruction.buffer];
    if (source.value == kUnwritten) {
      report_.add(Rule::host_slot_is_written_before_swap_in,
                  fmt::format("{} reads the host slot of {}, which has no valid copy then", report_.name(id),
                              report_.name(instruction.buffer)));
      source.value = kForgiven;
    }
    content(instruction.residency, instruction.position) = {source.value, id};
  }

  void report_unwritten(InstructionId reader, ResidencyId residency) {
    report_.add(Rule::residency_is_written_before_read, fmt::format("{} reads {} before anything has written it",
                                                                    report_.name(reader), report_.name(residency)));
  }

  void check_end() {
    const std::size_t end = schedule_.instructions.size();
    for (const StartState& state : schedule_.start) {
      const Value expected = reference_.at_end(state.buffer);
      if (state.residency.valid() && end > 0) {
        const Position last = schedule_.instructions.back().position;
        const Value found = content(state.residency, last).value;
        if (!is(found, expected))
          report_.add(Rule::lasting_buffer_ends_in_arena,
                      fmt::format("the next step starts with {}, which holds {}, expected {}",
                                  report_.name(state.residency), name(found), name(expected)));
      }
      if (state.host_valid) expect_host(Rule::lasting_buffer_ends_in_host, state.buffer, expected);
    }
    for (const BufferId id : graph_.buffers.ids())
      if (graph_.buffers[id].role == Role::loss) expect_host(Rule::loss_ends_in_host, id, reference_.at_end(id));
  }

  void expect_host(Rule rule, BufferId buffer, Value expected) {
    const Value found = host_[buffer].value;
    if (is(found, expected) && found != kUnwritten) return;
    report_.add(rule, fmt::format("at the step's end the host slot of {} holds {}, expected {}", report_.name(buffer),
                                  name(found), name(expected)));
  }

  [[nodiscard]] std::string name(Value value) const {
    if (value == kUnwritten) return "nothing valid";
    if (value == kMixed) return "a part written on top of another value";
    const OpId maker = reference_.maker(value);
    return maker.valid() ? "the value of " + report_.name(maker) : "the value at the step's start";
  }

  const Graph& graph_;
  const Schedule& schedule_;
  Findings& report_;
  ReferenceStep reference_;
  IdVector<ResidencyId, Content> arena_;
  IdVector<BufferId, Content> host_;
  IdVector<ResidencyId, char> has_returned_;  ///< whether it has begun anew at the step's end
};

}  // namespace

void check_values(const Trace& trace, const Schedule& schedule, Findings& report) {
  ValueRun(trace, schedule, report).run();
}

}  // namespace spillway
