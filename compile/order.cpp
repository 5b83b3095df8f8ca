#include "compile/order.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <variant>

#include "compile/recompute.h"
#include "compile/stays.h"
#include "core/error.h"
#include "core/live_bytes.h"

namespace spillway {
namespace {

constexpr std::size_t kCompute = 0, kSwapOut = 1, kSwapIn = 2, kNetwork = 3;

/// Where an instruction stands in the total order.
struct Key {
  Position position;
  int phase = 0;  // 0 swap-ins, 1 compute, 2 all-reduces, 3 swap-outs, 4 host updates
  std::size_t next_use = 0;
  std::uint32_t buffer = 0;
  friend auto operator<=>(const Key&, const Key&) = default;
};

struct Draft {
  Key key;
  Instruction instruction;
  SwapMode mode = SwapMode::prefetch;
};

bool is_all_reduce(const Op& op) {
  return std::holds_alternative<AllReduce>(op.attributes);
}

class Orderer {
 public:
  Orderer(const Trace& trace, const Plan& plan, Bytes alignment)
      : graph_(trace.graph), costs_(costs_at(trace, plan.batch)), plan_(plan) {
    schedule().plan = plan;
    schedule().alignment = alignment;
    for (const StreamRole role : {StreamRole::compute, StreamRole::swap_out, StreamRole::swap_in}) {
      schedule().streams.push_back({.role = role, .gpu = 0});
    }
    if (std::ranges::any_of(graph_.ops, is_all_reduce)) {
      schedule().streams.push_back({.role = StreamRole::network, .gpu = 0});
    }
    for (const OpId op : graph_.ops.ids()) schedule().kernels.push_back(cost(costs_, op).kernel);
  }

  UnplacedSchedule run() {
    stream_ = compute_stream(graph_, plan_.recomputes);
    check_recomputations(graph_, stream_, plan_.batch);
    const IdVector<BufferId, std::vector<Use>> uses = spillway::uses(graph_, stream_, plan_.batch);
    for (const Position position : stream_.ids()) add_op(position);
    const IdVector<BufferId, std::map<Position, const Swap*>> swaps = swaps_by_gap(uses);
    const IdVector<BufferId, Position> arrival = arrivals(graph_, uses);
    for (const BufferId buffer : graph_.buffers.ids()) {
      add_life(buffer, live(graph_, buffer, uses[buffer], swaps[buffer], arrival[buffer], stream_.size()));
    }
    sort_instructions();
    collect_accesses();
    for (const Bytes live : live_bytes(schedule()))
      schedule().peak_live_bytes = std::max(schedule().peak_live_bytes, live);
    return std::move(result_);
  }

 private:
  Schedule& schedule() { return result_.schedule; }
  [[nodiscard]] Bytes size_of_buffer(BufferId buffer) const { return bytes(graph_.buffers[buffer], plan_.batch); }

  /// Each decision under its buffer and the use that its gap comes after; the gap must be there as the decision says.
  IdVector<BufferId, std::map<Position, const Swap*>> swaps_by_gap(const IdVector<BufferId, std::vector<Use>>& uses) {
    IdVector<BufferId, std::map<Position, const Swap*>> swaps(graph_.buffers.size());
    for (const Swap& swap : plan_.swaps) {
      const Buffer& buffer = graph_.buffers[swap.gap.buffer];
      check_gap(swap, buffer, uses[swap.gap.buffer]);
      const auto in_range = [&](Position p) { return p.valid() && p.index() < stream_.size(); };
      if (in_range(swap.release) != swap.gap.after.valid() || in_range(swap.begin) != swap.gap.before.valid()) {
        throw input_error(fmt::format(
            "swap of '{}': it needs 'release' if a use comes before the gap and 'begin' if one comes behind",
            buffer.name));
      }
      if (!swaps[swap.gap.buffer].emplace(swap.gap.after, &swap).second) {
        throw input_error(fmt::format("swap of '{}': there are two decisions for one gap", buffer.name));
      }
    }
    return swaps;
  }

  static void check_gap(const Swap& swap, const Buffer& buffer, const std::vector<Use>& list) {
    bool there = false;
    if (!list.empty() && !swap.gap.after.valid()) {
      there = buffer.role == Role::input && swap.gap.before == list.front().position && !swap.gap.wraps;
    } else if (!list.empty() && swap.gap.after == list.back().position) {
      there = is_lasting(buffer.role) ? swap.gap.wraps && swap.gap.before == list.front().position
                                      : buffer.role == Role::loss && !swap.gap.before.valid() && !swap.gap.wraps;
    } else {
      const auto use = std::ranges::find(list, swap.gap.after, &Use::position);
      there = use != list.end() && !swap.gap.wraps && std::next(use)->position == swap.gap.before;
    }
    if (!there) throw input_error(fmt::format("swap of '{}': it has no gap between these uses", buffer.name));
  }

  ResidencyId add_residency(BufferId buffer, Bytes size, Position first, Position last, bool wraps) {
    return schedule().residencies.push_back({.buffer = buffer,
                                             .offset = {},
                                             .bytes = align_up(size, schedule().alignment),
                                             .first = first,
                                             .last = last,
                                             .wraps = wraps});
  }

  void add_op(Position position) {
    const OpRun& run = stream_[position];
    const Op& op = graph_.ops[run.op];
    const bool reduces = is_all_reduce(op);
    Draft draft{.key = {.position = position, .phase = reduces ? 2 : 1}, .instruction = {}};
    draft.instruction = {.kind = reduces ? InstructionKind::all_reduce : InstructionKind::compute,
                         .stream = StreamId(reduces ? kNetwork : kCompute),
                         .position = position,
                         .op = run.op,
                         .run = run.run,
                         .inputs = std::vector<ResidencyId>(op.inputs.size()),
                         .outputs = std::vector<ResidencyId>(op.outputs.size()),
                         .workspace = {},
                         .buffer = {},
                         .residency = {},
                         .waits = {}};
    if (const Bytes workspace = cost(costs_, run.op).workspace; workspace.value > 0) {
      draft.instruction.workspace = add_residency({}, workspace, position, position, false);
    }
    for (const BufferId buffer : run.scratch) {
      const ResidencyId scratch = add_residency({}, size_of_buffer(buffer), position, position, false);
      place_operands(op.outputs, buffer, scratch, draft.instruction.outputs);
    }
    drafts_.push_back(std::move(draft));
  }

  void place_operands(const std::vector<TensorId>& tensors, BufferId buffer, ResidencyId residency,
                      std::vector<ResidencyId>& operands) const {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      if (graph_.tensors[tensors[i]].buffer == buffer && !operands[i].valid()) operands[i] = residency;
    }
  }

  void add_life(BufferId buffer, const Life& life) {
    std::vector<ResidencyId> residencies;
    for (const Stay& stay : life.stays) {
      const ResidencyId residency = add_residency(buffer, size_of_buffer(buffer), stay.first, stay.last, stay.wraps);
      residencies.push_back(residency);
      for (const Use& use : stay.uses) {
        Instruction& user = drafts_[use.position.index()].instruction;  // ops were added first, in order
        const Op& op = graph_.ops[user.op];
        if (use.reads) place_operands(op.inputs, buffer, residency, user.inputs);
        if (use.writes) place_operands(op.outputs, buffer, residency, user.outputs);
      }
      for (const StayCopy& in : stay.ins) add_copy(InstructionKind::swap_in, buffer, residency, in);
      for (const StayCopy& out : stay.outs) add_copy(InstructionKind::swap_out, buffer, residency, out);
    }
    const Role role = graph_.buffers[buffer].role;
    if (is_lasting(role)) {
      schedule().start.push_back({.buffer = buffer,
                                  .residency = life.resident_at_start ? residencies[life.wrapping] : ResidencyId{},
                                  .host_valid = life.needs_slot && life.host_valid_at_start});
    }
    if (life.needs_slot || role == Role::input || role == Role::loss) {
      const Bytes size = size_of_buffer(buffer);
      schedule().host_slots.push_back({.buffer = buffer, .offset = schedule().host_bytes, .bytes = size});
      schedule().host_bytes += align_up(size, schedule().alignment);
    }
  }

  void add_copy(InstructionKind kind, BufferId buffer, ResidencyId residency, const StayCopy& copy) {
    const bool out = kind == InstructionKind::swap_out;
    Draft draft{
        .key = {.position = copy.position, .phase = out ? 3 : 0, .next_use = copy.next_use, .buffer = buffer.value},
        .instruction = {},
        .mode = copy.mode};
    draft.instruction.kind = kind;
    draft.instruction.stream = StreamId(out ? kSwapOut : kSwapIn);
    draft.instruction.position = copy.position;
    draft.instruction.buffer = buffer;
    draft.instruction.residency = residency;
    drafts_.push_back(std::move(draft));
  }

  void sort_instructions() {
    std::ranges::stable_sort(drafts_, {}, &Draft::key);
    // The compute at a position, or the nearest one before it; and the nearest one from a position on.
    IdVector<Position, InstructionId> last_compute(stream_.size()), next_compute(stream_.size());
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      if (drafts_[i].instruction.kind == InstructionKind::compute)
        last_compute[drafts_[i].key.position] = InstructionId(i);
    }
    next_compute = last_compute;
    for (std::size_t i = 1; i < stream_.size(); ++i) {
      if (!last_compute[Position(i)].valid()) last_compute[Position(i)] = last_compute[Position(i - 1)];
      const Position from_end(stream_.size() - 1 - i);
      if (!next_compute[from_end].valid()) next_compute[from_end] = next_compute[Position(from_end.index() + 1)];
    }
    result_.asked_waits.resize(drafts_.size());
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      const Draft& draft = drafts_[i];
      const std::size_t position = draft.key.position.index();
      if (draft.instruction.kind == InstructionKind::swap_in && is_triggered(draft.mode) && position > 0) {
        const InstructionId before = last_compute[Position(position - 1)];
        if (before.valid()) result_.asked_waits[InstructionId(i)].push_back(before);
      }
      if (draft.instruction.kind == InstructionKind::swap_out && is_blocking(draft.mode) &&
          position + 1 < stream_.size()) {
        const InstructionId behind = next_compute[Position(position + 1)];
        if (behind.valid()) result_.asked_waits[behind].push_back(InstructionId(i));
      }
      schedule().instructions.push_back(draft.instruction);
    }
  }

  void collect_accesses() {
    result_.accesses.resize(schedule().residencies.size());
    for (const InstructionId id : schedule().instructions.ids()) {
      const Instruction& instruction = schedule().instructions[id];
      const auto access = [&](ResidencyId residency, bool reads, bool writes) {
        std::vector<ResidencyAccess>& list = result_.accesses[residency];
        if (list.empty() || list.back().instruction != id) list.push_back({.instruction = id});
        list.back().reads |= reads;
        list.back().writes |= writes;
      };
      if (runs_op(instruction.kind)) {
        for (const ResidencyId input : instruction.inputs) access(input, true, false);
        for (const ResidencyId output : instruction.outputs) access(output, false, true);
        if (instruction.workspace.valid()) access(instruction.workspace, true, true);
      } else {
        const bool out = instruction.kind == InstructionKind::swap_out;
        access(instruction.residency, out, !out);
      }
    }
  }

  const Graph& graph_;
  const BatchCosts& costs_;
  const Plan& plan_;
  IdVector<Position, OpRun> stream_;
  std::vector<Draft> drafts_;
  UnplacedSchedule result_;
};

}  // namespace

UnplacedSchedule order(const Trace& trace, const Plan& plan, Bytes alignment) {
  return Orderer(trace, plan, alignment).run();
}

}  // namespace spillway
