#include "tests/verify/toy.h"

#include <algorithm>

namespace spillway {
namespace {

class GraphBuilder {
 public:
  void buffer(const char* name, Role role, std::int64_t fixed, std::int64_t per_sample) {
    graph_.buffers.push_back({name, role, {fixed}, {per_sample}, std::nullopt});
  }
  /// A tensor that is its whole buffer.
  TensorId tensor(const char* name, const char* buffer) {
    const BufferId id = buffer_named(graph_, buffer);
    const bool batched = graph_.buffers[id].bytes_per_sample.value > 0;
    const std::int64_t bytes =
        batched ? graph_.buffers[id].bytes_per_sample.value : graph_.buffers[id].bytes_fixed.value;
    return graph_.tensors.push_back({name, id, {0}, ElementType::float32, batched, {bytes / 4}});
  }
  void op(const char* name, std::vector<TensorId> inputs, std::vector<TensorId> outputs, Phase phase,
          bool recomputable = false) {
    Op op;
    op.name = name;
    op.attributes = Opaque{name};
    op.inputs = std::move(inputs);
    op.outputs = std::move(outputs);
    op.phase = phase;
    op.recomputable = recomputable;
    graph_.ops.push_back(std::move(op));
  }
  [[nodiscard]] Graph take() { return std::move(graph_); }

 private:
  Graph graph_;
};

template <class I, class T>
I id_named(const IdVector<I, T>& items, std::string_view name) {
  for (const I id : items.ids())
    if (items[id].name == name) return id;
  return {};
}

Graph toy_graph() {
  GraphBuilder builder;
  builder.buffer("image", Role::input, 0, 32);
  builder.buffer("w", Role::parameter, 64, 0);
  builder.buffer("act", Role::activation, 0, 32);
  builder.buffer("out", Role::activation, 0, 32);
  builder.buffer("loss", Role::loss, 4, 0);
  builder.buffer("dw", Role::gradient, 64, 0);
  builder.buffer("m", Role::optimizer_state, 64, 0);
  const TensorId image = builder.tensor("image", "image"), w = builder.tensor("w", "w"),
                 act = builder.tensor("act", "act"), out = builder.tensor("out", "out"),
                 loss = builder.tensor("loss", "loss"), dout = builder.tensor("dout", "out"),
                 dw = builder.tensor("dw", "dw"), m = builder.tensor("m", "m"), w_new = builder.tensor("w.new", "w"),
                 m_new = builder.tensor("m.new", "m");
  builder.op("forward", {image, w}, {act}, Phase::forward, true);
  builder.op("head", {act}, {out}, Phase::forward, true);
  builder.op("loss", {out}, {loss, dout}, Phase::forward);
  builder.op("backward", {act, dout}, {dw}, Phase::backward);
  builder.op("update", {w, dw, m}, {w_new, m_new}, Phase::update);
  return builder.take();
}

}  // namespace

BufferId buffer_named(const Graph& graph, std::string_view name) {
  return id_named(graph.buffers, name);
}
OpId op_named(const Graph& graph, std::string_view name) {
  return id_named(graph.ops, name);
}

Trace toy_trace() {
  Trace trace;
  trace.graph = toy_graph();
  BatchCosts costs;
  costs.batch = 2;
  for (const OpId op : trace.graph.ops.ids()) {
    const std::int64_t workspace = trace.graph.ops[op].name == "loss" ? 64 : 0;
    costs.kernels.push_back({"kernel of " + trace.graph.ops[op].name, {workspace}, {1e-3}, 0, {1e-3}, 5});
    costs.kernel_of.push_back(static_cast<std::uint32_t>(op.index()));
  }
  trace.batches.push_back(std::move(costs));
  return trace;
}

ScheduleBuilder::ScheduleBuilder(const Trace& trace) : graph_(trace.graph), runs_(trace.graph.ops.size()) {
  const BatchCosts& costs = trace.batches.front();
  schedule_.plan.batch = costs.batch;
  for (const OpId op : graph_.ops.ids()) schedule_.kernels.push_back(cost(costs, op).kernel);
  for (const StreamRole role : {StreamRole::compute, StreamRole::swap_out, StreamRole::swap_in})
    schedule_.streams.push_back({role, 0});
  for (const BufferId id : graph_.buffers.ids())
    if (is_lasting(graph_.buffers[id].role)) schedule_.start.push_back({id, {}, false});
}

ResidencyId ScheduleBuilder::residency(std::string_view buffer, std::int64_t offset, std::size_t first,
                                       std::size_t last) {
  const BufferId id = buffer_named(graph_, buffer);
  const Bytes size = bytes(graph_.buffers[id], schedule_.plan.batch);
  return schedule_.residencies.push_back({id, {offset}, size, Position(first), Position(last), false});
}

ResidencyId ScheduleBuilder::wrapping(std::string_view buffer, std::int64_t offset, std::size_t first,
                                      std::size_t last) {
  const ResidencyId id = residency(buffer, offset, first, last);
  schedule_.residencies[id].wraps = true;
  start_of(schedule_.residencies[id].buffer).residency = id;
  return id;
}

ResidencyId ScheduleBuilder::scratch(std::int64_t offset, std::int64_t size, std::size_t position) {
  return schedule_.residencies.push_back({{}, {offset}, {size}, Position(position), Position(position), false});
}

void ScheduleBuilder::host_valid(std::string_view buffer) {
  start_of(buffer_named(graph_, buffer)).host_valid = true;
}

StartState& ScheduleBuilder::start_of(BufferId buffer) {
  return *std::ranges::find(schedule_.start, buffer, &StartState::buffer);
}

InstructionId ScheduleBuilder::compute(std::string_view op, std::vector<ResidencyId> inputs,
                                       std::vector<ResidencyId> outputs, Waits waits, ResidencyId workspace) {
  Instruction instruction;
  instruction.kind = InstructionKind::compute;
  instruction.stream = StreamId(0);
  instruction.position = Position(position_++);
  instruction.op = op_named(graph_, op);
  instruction.run = runs_[instruction.op]++;
  instruction.inputs = std::move(inputs);
  instruction.outputs = std::move(outputs);
  instruction.workspace = workspace;
  instruction.waits = waits;
  return schedule_.instructions.push_back(std::move(instruction));
}

InstructionId ScheduleBuilder::swap_in(ResidencyId residency, std::size_t position, Waits waits) {
  return copy(InstructionKind::swap_in, residency, position, waits);
}
InstructionId ScheduleBuilder::swap_out(ResidencyId residency, std::size_t position, Waits waits) {
  return copy(InstructionKind::swap_out, residency, position, waits);
}

InstructionId ScheduleBuilder::copy(InstructionKind kind, ResidencyId residency, std::size_t position, Waits waits) {
  Instruction instruction;
  instruction.kind = kind;
  instruction.stream = StreamId(kind == InstructionKind::swap_out ? 1 : 2);
  instruction.position = Position(position);
  instruction.buffer = schedule_.residencies[residency].buffer;
  instruction.residency = residency;
  instruction.waits = waits;
  return schedule_.instructions.push_back(std::move(instruction));
}

Schedule ScheduleBuilder::build() const {
  Schedule schedule = schedule_;
  for (const Residency& residency : schedule.residencies)
    schedule.arena_bytes = std::max(schedule.arena_bytes, residency.offset + residency.bytes);
  schedule.plan.capacity = schedule.arena_bytes;
  for (const BufferId id : graph_.buffers.ids()) {
    const Role role = graph_.buffers[id].role;
    bool needs_slot = role == Role::input || role == Role::loss;
    for (const StartState& state : schedule.start) needs_slot |= state.buffer == id && state.host_valid;
    for (const Instruction& instruction : schedule.instructions)
      needs_slot |= instruction.kind != InstructionKind::compute && instruction.buffer == id;
    if (!needs_slot) continue;
    const Bytes offset = align_up(schedule.host_bytes, schedule.alignment);
    const Bytes size = bytes(graph_.buffers[id], schedule.plan.batch);
    schedule.host_slots.push_back({id, offset, size});
    schedule.host_bytes = offset + size;
  }
  schedule.plan.host_capacity = schedule.host_bytes;
  return schedule;
}

}  // namespace spillway
