#include "executor/runner.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <variant>

#include <fmt/format.h>

#include "comm/meeting.h"
#include "core/error.h"
#include "core/host_staging.h"
#include "device/rank_sum.h"

namespace spillway {
namespace {

void require_host_capacity(const Plan& plan, Bytes pool) {
  if (!plan.host_capacity || pool <= *plan.host_capacity) return;
  throw machine_error(
      fmt::format("the host pool takes {} bytes here, the plan's host capacity is {}: ranks add up gradients otherwise "
                  "than where the trace was recorded; make the plan again with a larger --host-capacity",
                  pool.value, plan.host_capacity->value));
}

/// What must be told to the device's wrappers behind an instruction: it was one of the last users of a residency.
struct LastUse {
  ResidencyId residency;
  int users = 0;
};

/// The last users, one per stream, of every residency that ends within the step.
IdVector<InstructionId, std::vector<LastUse>> last_uses(const Schedule& schedule) {
  IdVector<ResidencyId, std::map<StreamId, InstructionId>> last(schedule.residencies.size());
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    const auto use = [&](ResidencyId residency) {
      if (residency.valid() && !schedule.residencies[residency].wraps) last[residency][instruction.stream] = id;
    };
    std::ranges::for_each(instruction.inputs, use);
    std::ranges::for_each(instruction.outputs, use);
    use(instruction.workspace);
    use(instruction.residency);
  }
  IdVector<InstructionId, std::vector<LastUse>> all(schedule.instructions.size());
  for (const ResidencyId residency : schedule.residencies.ids()) {
    for (const auto& [stream, id] : last[residency]) {
      all[id].push_back({.residency = residency, .users = static_cast<int>(last[residency].size())});
    }
  }
  return all;
}

}  // namespace

/// Everything that is the same in every step.
struct Runner::Prepared {
  struct Command {
    KernelId kernel;
    std::vector<Bytes> inputs, outputs;
    Bytes workspace;
    Bytes arena, host, size;  // copies
    EventId started, completed;
    bool waited_for = false;  // by another instruction
    std::unique_ptr<RankSum> rank_sum;
  };
  IdVector<InstructionId, Command> commands;
  IdVector<InstructionId, std::vector<LastUse>> last_uses;
  std::vector<StreamId> streams;  // of the device, by the schedule's stream
  std::vector<EventId> joined;    // one per stream
  EventId begun;                  // with timing: the step's start, on the compute stream
  std::uint64_t timed = 0;        // the last step that was
  EventId staged;                 // set and get
  std::uint64_t step = 0;
  std::optional<GraphId> graph;
  std::uint64_t stagings = 0;
  Bytes host_pool;
  Bytes staging_offset, staging_size;  // set and get
  Bytes reduced_offset, reduced_size;  // all-reduces: one after the other, on one stream
};

Runner::Runner(Device& device, const Trace& trace, const Schedule& schedule, Timing timing, Communicator* communicator)
    : device_(device), trace_(trace), schedule_(schedule), timing_(timing), prepared_(std::make_unique<Prepared>()) {
  Prepared& prepared = *prepared_;
  const Graph& graph = trace.graph;
  const std::int64_t batch = schedule.plan.batch;
  if (communicator != nullptr) {
    require_own_units(*communicator, device.properties().unit, device.properties().device);
    static_cast<void>(device.join_ranks(meeting_of(*communicator)));
  }

  std::map<std::pair<std::string, std::uint32_t>, KernelId> kernels;  // equal costs mean equal descriptions
  const BatchCosts& costs = costs_at(trace, batch);
  IdVector<OpId, KernelId> kernel_of(graph.ops.size());
  for (const OpId op : graph.ops.ids()) {
    if (std::holds_alternative<AllReduce>(graph.ops[op].attributes)) continue;
    const std::pair key(schedule.kernels[op], costs.kernel_of[op]);
    const auto known = kernels.find(key);
    kernel_of[op] =
        known != kernels.end() ? known->second : device.prepare(describe(graph, op, batch), schedule.kernels[op]);
    kernels.emplace(key, kernel_of[op]);
  }

  prepared.staging_offset = end_of_slots(schedule);
  prepared.staging_size = host_staging(trace, schedule).transfers;
  prepared.reduced_offset = prepared.staging_offset + prepared.staging_size;
  IdVector<InstructionId, std::vector<ArenaPiece>> gradients(schedule.instructions.size());
  std::optional<StreamId> network;
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    if (instruction.kind != InstructionKind::all_reduce) continue;
    SPILLWAY_CHECK(communicator != nullptr, "a schedule with all-reduces needs a communicator");
    SPILLWAY_CHECK(network.value_or(instruction.stream) == instruction.stream, "all-reduces share a stream");
    network = instruction.stream;
    gradients[id] = gradients_of(instruction);
    prepared.reduced_size = std::max(prepared.reduced_size, RankSum::staging(device, gradients[id]));
  }
  prepared.host_pool = std::max(schedule.host_bytes, prepared.reduced_offset + prepared.reduced_size);
  require_host_capacity(schedule.plan, prepared.host_pool);
  device.allocate(schedule.arena_bytes, prepared.host_pool);

  std::vector<std::size_t> commands(schedule.streams.size(), 8);
  prepared.last_uses = last_uses(schedule);
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    commands[instruction.stream.index()] +=
        instruction.waits.size() + 2 + prepared.last_uses[id].size() + RankSum::commands(device, gradients[id]);
  }
  for (const StreamId stream : schedule.streams.ids()) {
    prepared.streams.push_back(device.create_stream(schedule.streams[stream].role, commands[stream.index()]));
    prepared.joined.push_back(device.create_event());
  }
  prepared.staged = device.create_event();
  if (timing == Timing::on) prepared.begun = device.create_event();

  IdVector<InstructionId, char> waited_for(schedule.instructions.size(), 0);
  for (const Instruction& instruction : schedule.instructions) {
    for (const InstructionId wait : instruction.waits) waited_for[wait] = 1;
  }
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    Prepared::Command command;
    if (timing == Timing::on) command.started = device.create_event();
    command.waited_for = waited_for[id] != 0;
    if (timing == Timing::on || command.waited_for) command.completed = device.create_event();
    if (instruction.kind == InstructionKind::all_reduce) {
      const auto sum = [communicator](std::span<const std::span<float>> pieces, float scale) {
        communicator->all_reduce_sum(pieces, scale);
      };
      command.rank_sum = std::make_unique<RankSum>(device, gradients[id], prepared.reduced_offset, sum,
                                                   1 / static_cast<float>(communicator->size()));
    } else if (instruction.kind == InstructionKind::compute) {
      const Op& op = graph.ops[instruction.op];
      const auto address = [&](ResidencyId residency, TensorId tensor) {
        return schedule.residencies[residency].offset + graph.tensors[tensor].offset;
      };
      command.kernel = kernel_of[instruction.op];
      for (std::size_t i = 0; i < op.inputs.size(); ++i)
        command.inputs.push_back(address(instruction.inputs[i], op.inputs[i]));
      for (std::size_t i = 0; i < op.outputs.size(); ++i) {
        command.outputs.push_back(address(instruction.outputs[i], op.outputs[i]));
      }
      if (instruction.workspace.valid()) command.workspace = schedule.residencies[instruction.workspace].offset;
    } else {
      command.arena = schedule.residencies[instruction.residency].offset;
      command.host = host_slot(schedule, instruction.buffer)->offset;
      command.size = bytes(graph.buffers[instruction.buffer], batch);
    }
    prepared.commands.push_back(std::move(command));
  }
}

Runner::~Runner() = default;

std::vector<ArenaPiece> Runner::gradients_of(const Instruction& instruction) const {
  std::vector<ArenaPiece> gradients;
  const Op& op = trace_.graph.ops[instruction.op];
  for (std::size_t i = 0; i < op.outputs.size(); ++i) {
    const Tensor& tensor = trace_.graph.tensors[op.outputs[i]];
    SPILLWAY_CHECK(tensor.type == ElementType::float32, tensor.name);
    gradients.push_back({.offset = schedule_.residencies[instruction.outputs[i]].offset + tensor.offset,
                         .floats = elements(tensor, schedule_.plan.batch)});
  }
  return gradients;
}

Bytes Runner::host_pool_bytes() const {
  return prepared_->host_pool;
}

std::span<std::byte> Runner::slot(BufferId buffer) {
  const HostSlot* slot = host_slot(schedule_, buffer);
  SPILLWAY_CHECK(slot != nullptr, "buffer '" + trace_.graph.buffers[buffer].name + "' has no host slot");
  return device_.host_pool().subspan(static_cast<std::size_t>(slot->offset.value),
                                     static_cast<std::size_t>(slot->bytes.value));
}

namespace {

const StartState& start_of(const Schedule& schedule, BufferId buffer) {
  const auto state = std::ranges::find(schedule.start, buffer, &StartState::buffer);
  SPILLWAY_CHECK(state != schedule.start.end(), "only a lasting buffer has a value between steps");
  return *state;
}

}  // namespace

void Runner::set(BufferId buffer, std::span<const std::byte> value) {
  Prepared& prepared = *prepared_;
  const StartState& state = start_of(schedule_, buffer);
  if (state.host_valid) std::ranges::copy(value, slot(buffer).begin());
  if (!state.residency.valid()) return;
  const auto staging = static_cast<std::size_t>(prepared.staging_size.value);
  for (std::size_t done = 0; done < value.size(); done += staging) {
    const std::span<const std::byte> part = value.subspan(done, std::min(staging, value.size() - done));
    std::ranges::copy(part, device_.host_pool().begin() + prepared.staging_offset.value);
    const Bytes at = schedule_.residencies[state.residency].offset + Bytes{static_cast<std::int64_t>(done)};
    device_.enqueue_swap_in(prepared.streams[2], prepared.staging_offset, at, {static_cast<std::int64_t>(part.size())});
    device_.enqueue_record(prepared.streams[2], prepared.staged, ++prepared.stagings);
    device_.wait(prepared.staged, prepared.stagings);
  }
}

void Runner::get(BufferId buffer, std::span<std::byte> value) {
  Prepared& prepared = *prepared_;
  const StartState& state = start_of(schedule_, buffer);
  if (!state.residency.valid()) {
    std::ranges::copy(slot(buffer).first(value.size()), value.begin());
    return;
  }
  const auto staging = static_cast<std::size_t>(prepared.staging_size.value);
  for (std::size_t done = 0; done < value.size(); done += staging) {
    const std::span<std::byte> part = value.subspan(done, std::min(staging, value.size() - done));
    const Bytes at = schedule_.residencies[state.residency].offset + Bytes{static_cast<std::int64_t>(done)};
    device_.enqueue_swap_out(prepared.streams[1], at, prepared.staging_offset,
                             {static_cast<std::int64_t>(part.size())});
    device_.enqueue_record(prepared.streams[1], prepared.staged, ++prepared.stagings);
    device_.wait(prepared.staged, prepared.stagings);
    std::ranges::copy(device_.host_pool().subspan(static_cast<std::size_t>(prepared.staging_offset.value), part.size()),
                      part.begin());
  }
}

Seconds Runner::run_step(Timing timing) {
  SPILLWAY_CHECK(timing == Timing::off || timing_ == Timing::on, "a runner that was made without timing");
  Prepared& prepared = *prepared_;
  const std::uint64_t step = ++prepared.step;
  const auto begun = std::chrono::steady_clock::now();
  if (timing == Timing::on) {
    device_.enqueue_record(prepared.streams[0], prepared.begun, step);
    prepared.timed = step;
  }
  enqueue_instructions(step, timing);
  for (std::size_t i = 0; i < prepared.streams.size(); ++i) {
    device_.enqueue_record(prepared.streams[i], prepared.joined[i], step);
  }
  for (const EventId joined : prepared.joined) device_.wait(joined, step);
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()};
}

bool Runner::capture() {
  prepared_->graph = device_.capture([this] { enqueue_instructions(++prepared_->step, Timing::off); });
  return prepared_->graph.has_value();
}

Seconds Runner::run_graph() {
  SPILLWAY_CHECK(prepared_->graph.has_value(), "no step has been captured");
  const auto begun = std::chrono::steady_clock::now();
  device_.replay(*prepared_->graph);
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()};
}

void Runner::enqueue_instructions(std::uint64_t step, Timing timing) {
  const Prepared& prepared = *prepared_;
  for (const InstructionId id : schedule_.instructions.ids()) {
    const Instruction& instruction = schedule_.instructions[id];
    const Prepared::Command& command = prepared.commands[id];
    const StreamId stream = prepared.streams[instruction.stream.index()];
    for (const InstructionId wait : instruction.waits)
      device_.enqueue_wait(stream, prepared.commands[wait].completed, step);
    if (timing == Timing::on) device_.enqueue_record(stream, command.started, step);
    switch (instruction.kind) {
      case InstructionKind::compute:
        device_.enqueue_op(stream, command.kernel,
                           {.inputs = command.inputs, .outputs = command.outputs, .workspace = command.workspace});
        break;
      case InstructionKind::swap_out:
        device_.enqueue_swap_out(stream, command.arena, command.host, command.size);
        break;
      case InstructionKind::swap_in: device_.enqueue_swap_in(stream, command.host, command.arena, command.size); break;
      case InstructionKind::all_reduce: command.rank_sum->enqueue(stream); break;
      case InstructionKind::host_update: SPILLWAY_CHECK(false, "the verifier lets no host update pass yet");
    }
    for (const LastUse& use : prepared.last_uses[id]) {
      const Residency& residency = schedule_.residencies[use.residency];
      device_.note_last_use(stream, use.residency, residency.offset, residency.bytes, use.users);
    }
    if (timing == Timing::on || command.waited_for) device_.enqueue_record(stream, command.completed, step);
  }
}

MeasuredStep Runner::measured() const {
  const Prepared& prepared = *prepared_;
  SPILLWAY_CHECK(prepared.timed > 0 && prepared.timed == prepared.step, "the last step wasn't timed");
  MeasuredStep measured;
  for (const Prepared::Command& command : prepared.commands) {
    measured.spans.push_back({.start = device_.elapsed(prepared.begun, command.started),
                              .end = device_.elapsed(prepared.begun, command.completed)});
  }
  for (const EventId joined : prepared.joined)
    measured.step = std::max(measured.step, device_.elapsed(prepared.begun, joined));
  return measured;
}

}  // namespace spillway
