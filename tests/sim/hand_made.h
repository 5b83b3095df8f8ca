#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/schedule.h"
#include "core/trace.h"

namespace spillway {

/// A trace and a schedule, instruction by instruction: compute, swap-out, swap-in and network streams, one op or buffer
/// per instruction, a free start of copies and of ops. Batch 1.
struct HandMade {
  using Waits = std::vector<InstructionId>;
  Trace trace;
  Schedule schedule;

  /// A link that carries `in` and `out`, and both at once.
  HandMade(BytesPerSecond in, BytesPerSecond out) {
    trace.graph.name = "hand-made";
    trace.batches.push_back({.batch = 1, .kernels = {}, .kernel_of = {}});
    trace.interference_rate = {in.value + out.value};
    trace.machine.name = "test";
    trace.machine.host_link = {.in = {in, "test"}, .out = {out, "test"}, .both = {}, .start = {}};
    for (const StreamRole role :
         {StreamRole::compute, StreamRole::swap_out, StreamRole::swap_in, StreamRole::network}) {
      schedule.streams.push_back({.role = role, .gpu = 0});
    }
  }

  HostLink& link() { return trace.machine.host_link; }

  /// `while_copying`: its seconds while copies run at the interference rate.
  InstructionId compute(Seconds seconds, Waits waits = {}, Seconds while_copying = {}) {
    BatchCosts& costs = trace.batches.front();
    const OpId op = trace.graph.ops.push_back(
        {.name = "op" + std::to_string(trace.graph.ops.size()), .attributes = Opaque{}, .inputs = {}, .outputs = {}});
    costs.kernel_of.push_back(static_cast<std::uint32_t>(costs.kernels.size()));
    costs.kernels.push_back({.kernel = "kernel",
                             .workspace = {},
                             .seconds = seconds,
                             .spread = 0,
                             .seconds_while_copying = while_copying.value > 0 ? while_copying : seconds,
                             .repeats = 1});
    Instruction instruction;
    instruction.stream = StreamId(0);
    instruction.position = Position(op.index());
    instruction.op = op;
    instruction.waits = std::move(waits);
    return schedule.instructions.push_back(std::move(instruction));
  }
  /// An all-reduce of one gradient of this size.
  InstructionId all_reduce(Bytes size, Waits waits = {}) {
    const std::string number = std::to_string(trace.graph.ops.size());
    const BufferId buffer = trace.graph.buffers.push_back(
        {.name = "g" + number, .role = Role::gradient, .bytes_fixed = size, .bytes_per_sample = {}, .initializer = {}});
    const TensorId tensor = trace.graph.tensors.push_back({.name = "g" + number,
                                                           .buffer = buffer,
                                                           .offset = {},
                                                           .type = ElementType::float32,
                                                           .batched = false,
                                                           .extents = {size.value / 4}});
    const OpId op = trace.graph.ops.push_back(
        {.name = "all_reduce" + number, .attributes = AllReduce{}, .inputs = {tensor}, .outputs = {tensor}});
    BatchCosts& costs = trace.batches.front();
    costs.kernel_of.push_back(static_cast<std::uint32_t>(costs.kernels.size()));
    costs.kernels.push_back({.kernel = "all_reduce", .workspace = {}, .seconds = {}, .seconds_while_copying = {}});
    Instruction instruction;
    instruction.kind = InstructionKind::all_reduce;
    instruction.stream = StreamId(3);
    instruction.position = Position(op.index());
    instruction.op = op;
    instruction.waits = std::move(waits);
    return schedule.instructions.push_back(std::move(instruction));
  }
  InstructionId swap_out(Bytes size, Waits waits = {}) {
    return copy(InstructionKind::swap_out, StreamId(1), size, std::move(waits));
  }
  InstructionId swap_in(Bytes size, Waits waits = {}) {
    return copy(InstructionKind::swap_in, StreamId(2), size, std::move(waits));
  }

 private:
  InstructionId copy(InstructionKind kind, StreamId stream, Bytes size, Waits waits) {
    const BufferId buffer = trace.graph.buffers.push_back({.name = "b" + std::to_string(trace.graph.buffers.size()),
                                                           .role = Role::activation,
                                                           .bytes_fixed = size,
                                                           .bytes_per_sample = {},
                                                           .initializer = {}});
    Instruction instruction;
    instruction.kind = kind;
    instruction.stream = stream;
    instruction.position = Position(trace.graph.ops.size());
    instruction.buffer = buffer;
    instruction.waits = std::move(waits);
    return schedule.instructions.push_back(std::move(instruction));
  }
};

}  // namespace spillway
