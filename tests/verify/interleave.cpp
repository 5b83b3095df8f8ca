#include "tests/verify/interleave.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace spillway {
namespace {

/// Four bytes, as a hash of how they were computed.
using Cell = std::uint64_t;
using Cells = std::vector<Cell>;

Cell mix(Cell a, Cell b) {
  a ^= b + 0x9E3779B97F4A7C15ULL + (a << 6) + (a >> 2);
  a *= 0xBF58476D1CE4E5B9ULL;
  return a ^ (a >> 31);
}

std::size_t cells(Bytes size) {
  return static_cast<std::size_t>(size.value) / 4;
}

/// What an op writes to the cells of one output, as a function of all its inputs' cells and of nothing else.
Cell result_of(OpId op, std::size_t output, std::size_t cell, const std::vector<Cells>& inputs) {
  Cell hash = mix(mix(op.value + 1, output), cell);
  for (const Cells& input : inputs)
    for (const Cell one : input) hash = mix(hash, one);
  return hash;
}

Cell input_cell(BufferId buffer, std::size_t step, std::size_t cell) {
  return mix(mix(buffer.value + 100, step), cell);
}
Cell first_cell(BufferId buffer, std::size_t cell) {
  return mix(buffer.value + 1000, cell);
}

/// The in-order step on private buffers.
class InOrder {
 public:
  InOrder(const Graph& graph, std::int64_t batch) : graph_(graph), batch_(batch), buffers_(graph.buffers.size()) {
    for (const BufferId id : graph.buffers.ids()) {
      buffers_[id].resize(cells(bytes(graph.buffers[id], batch)));
      for (std::size_t i = 0; i < buffers_[id].size(); ++i) buffers_[id][i] = first_cell(id, i);
    }
  }
  void step(std::size_t number) {
    for (const BufferId id : graph_.buffers.ids())
      if (graph_.buffers[id].role == Role::input)
        for (std::size_t i = 0; i < buffers_[id].size(); ++i) buffers_[id][i] = input_cell(id, number, i);
    for (const OpId id : graph_.ops.ids()) {
      const Op& op = graph_.ops[id];
      std::vector<Cells> inputs;
      for (const TensorId input : op.inputs) {
        const auto part = cells_of(input);
        inputs.emplace_back(part.begin(), part.end());
      }
      for (std::size_t o = 0; o < op.outputs.size(); ++o) {
        const auto part = cells_of(op.outputs[o]);
        for (std::size_t i = 0; i < part.size(); ++i) part[i] = result_of(id, o, i, inputs);
      }
    }
  }
  [[nodiscard]] const Cells& buffer(BufferId id) const { return buffers_[id]; }

 private:
  std::span<Cell> cells_of(TensorId id) {
    const Tensor& tensor = graph_.tensors[id];
    return std::span(buffers_[tensor.buffer]).subspan(cells(tensor.offset), cells(bytes(tensor, batch_)));
  }
  const Graph& graph_;
  std::int64_t batch_;
  IdVector<BufferId, Cells> buffers_;
};

class Interleaved {
 public:
  Interleaved(const Trace& trace, const Schedule& schedule, unsigned seed)
      : graph_(trace.graph),
        schedule_(schedule),
        random_(seed),
        arena_(cells(schedule.arena_bytes)),
        host_(cells(schedule.host_bytes)) {
    for (Cell& cell : arena_) cell = garbage();
    for (Cell& cell : host_) cell = garbage();
    for (const StartState& state : schedule.start) {
      if (state.residency.valid()) fill_first(residency_cells(state.residency, state.buffer), state.buffer);
      if (state.host_valid) fill_first(host_cells(state.buffer), state.buffer);
    }
  }

  void step(std::size_t number) {
    for (const BufferId id : graph_.buffers.ids()) {
      if (graph_.buffers[id].role != Role::input) continue;
      const auto slot = host_cells(id);
      for (std::size_t i = 0; i < slot.size(); ++i) slot[i] = input_cell(id, number, i);
    }
    completed_.assign(schedule_.instructions.size(), 0);
    heads_.assign(schedule_.streams.size(), {});
    for (const InstructionId id : schedule_.instructions.ids())
      heads_[schedule_.instructions[id].stream.index()].queue.push_back(id);
    while (advance()) {
    }
  }

  [[nodiscard]] std::optional<std::string> difference(const InOrder& expected) {
    for (const StartState& state : schedule_.start) {
      const Cells& value = expected.buffer(state.buffer);
      if (state.residency.valid() && !std::ranges::equal(residency_cells(state.residency, state.buffer), value))
        return graph_.buffers[state.buffer].name + " in the arena";
      if (state.host_valid && !std::ranges::equal(host_cells(state.buffer), value))
        return graph_.buffers[state.buffer].name + " on the host";
    }
    for (const BufferId id : graph_.buffers.ids())
      if (graph_.buffers[id].role == Role::loss && !std::ranges::equal(host_cells(id), expected.buffer(id)))
        return graph_.buffers[id].name;
    return std::nullopt;
  }

 private:
  struct Head {
    std::vector<InstructionId> queue;
    std::size_t next = 0;
    bool running = false;
    std::vector<Cells> seen;  ///< the sources at the start
  };

  Cell garbage() { return random_() | 1ULL << 63; }
  void fill_first(std::span<Cell> target, BufferId buffer) {
    for (std::size_t i = 0; i < target.size(); ++i) target[i] = first_cell(buffer, i);
  }
  std::span<Cell> residency_cells(ResidencyId id, BufferId buffer) {
    return std::span(arena_).subspan(cells(schedule_.residencies[id].offset),
                                     cells(bytes(graph_.buffers[buffer], schedule_.plan.batch)));
  }
  std::span<Cell> host_cells(BufferId buffer) {
    return std::span(host_).subspan(cells(host_slot(schedule_, buffer)->offset),
                                    cells(bytes(graph_.buffers[buffer], schedule_.plan.batch)));
  }
  std::span<Cell> tensor_cells(ResidencyId residency, TensorId id) {
    const Tensor& tensor = graph_.tensors[id];
    return std::span(arena_).subspan(cells(schedule_.residencies[residency].offset + tensor.offset),
                                     cells(bytes(tensor, schedule_.plan.batch)));
  }

  std::vector<std::span<Cell>> sources(const Instruction& instruction) {
    if (instruction.kind == InstructionKind::swap_out)
      return {residency_cells(instruction.residency, instruction.buffer)};
    if (instruction.kind == InstructionKind::swap_in) return {host_cells(instruction.buffer)};
    std::vector<std::span<Cell>> result;
    for (std::size_t i = 0; i < instruction.inputs.size(); ++i)
      result.push_back(tensor_cells(instruction.inputs[i], graph_.ops[instruction.op].inputs[i]));
    return result;
  }
  std::vector<std::span<Cell>> targets(const Instruction& instruction) {
    if (instruction.kind == InstructionKind::swap_out) return {host_cells(instruction.buffer)};
    if (instruction.kind == InstructionKind::swap_in)
      return {residency_cells(instruction.residency, instruction.buffer)};
    std::vector<std::span<Cell>> result;
    for (std::size_t i = 0; i < instruction.outputs.size(); ++i)
      result.push_back(tensor_cells(instruction.outputs[i], graph_.ops[instruction.op].outputs[i]));
    return result;
  }

  /// Starts or completes one instruction; false when all have completed.
  bool advance() {
    std::vector<Head*> able;
    for (Head& head : heads_) {
      if (head.next == head.queue.size()) continue;
      const auto& waits = schedule_.instructions[head.queue[head.next]].waits;
      if (head.running || std::ranges::all_of(waits, [&](InstructionId id) { return completed_[id.index()] != 0; }))
        able.push_back(&head);
    }
    if (able.empty()) return false;
    Head& head = *able[random_() % able.size()];
    if (head.running)
      complete(head);
    else
      start(head);
    return true;
  }

  void start(Head& head) {
    const Instruction& instruction = schedule_.instructions[head.queue[head.next]];
    head.running = true;
    head.seen.clear();
    for (const auto part : sources(instruction)) head.seen.emplace_back(part.begin(), part.end());
    for (const auto part : targets(instruction)) scramble(part);
    if (instruction.workspace.valid()) {
      const Residency& workspace = schedule_.residencies[instruction.workspace];
      workspace_ = Cells(cells(workspace.bytes));
      for (Cell& cell : workspace_) cell = garbage();
      std::ranges::copy(workspace_, arena_.begin() + static_cast<std::ptrdiff_t>(cells(workspace.offset)));
    }
    // In-place operands change by the instruction's own hand.
    own_.resize(heads_.size());
    own_[index_of(head)].clear();
    for (const auto part : sources(instruction)) own_[index_of(head)].emplace_back(part.begin(), part.end());
  }

  void complete(Head& head) {
    const InstructionId id = head.queue[head.next];
    const Instruction& instruction = schedule_.instructions[id];
    const auto now = sources(instruction);
    bool changed = false;
    for (std::size_t i = 0; i < now.size(); ++i) changed |= !std::ranges::equal(now[i], own_[index_of(head)][i]);
    if (instruction.workspace.valid())
      changed |= !std::ranges::equal(
          workspace_,
          std::span(arena_).subspan(cells(schedule_.residencies[instruction.workspace].offset), workspace_.size()));
    const auto parts = targets(instruction);
    for (std::size_t o = 0; o < parts.size(); ++o) {
      if (changed) {
        scramble(parts[o]);
      } else if (runs_op(instruction.kind)) {
        for (std::size_t i = 0; i < parts[o].size(); ++i) parts[o][i] = result_of(instruction.op, o, i, head.seen);
      } else {
        std::ranges::copy(head.seen[0], parts[o].begin());
      }
    }
    completed_[id.index()] = 1;
    head.running = false;
    ++head.next;
  }

  void scramble(std::span<Cell> target) {
    for (Cell& cell : target) cell = garbage();
  }
  [[nodiscard]] std::size_t index_of(const Head& head) const { return static_cast<std::size_t>(&head - heads_.data()); }

  const Graph& graph_;
  const Schedule& schedule_;
  std::mt19937_64 random_;
  Cells arena_, host_;
  Cells workspace_;                      ///< of the compute stream's running op
  std::vector<std::vector<Cells>> own_;  ///< per stream: the sources right after the start
  std::vector<Head> heads_;
  std::vector<char> completed_;
};

}  // namespace

std::optional<std::string> wrong_result(const Trace& trace, const Schedule& schedule, unsigned seed) {
  InOrder expected(trace.graph, schedule.plan.batch);
  Interleaved run(trace, schedule, seed);
  for (std::size_t step = 0; step < 3; ++step) {
    expected.step(step);
    run.step(step);
    if (const auto difference = run.difference(expected)) return "step " + std::to_string(step) + ": " + *difference;
  }
  return std::nullopt;
}

}  // namespace spillway
