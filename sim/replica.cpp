#include "sim/replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "core/error.h"
#include "sim/all_reduce_time.h"

namespace spillway {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

/// What an instruction has left: first seconds that pass anyhow, then work that passes at a rate.
struct Running {
  InstructionId instruction;  // invalid: the stream is idle
  double delay = 0;           // seconds
  double work = 0;            // seconds of solo compute, or bytes
  double rate = 1;            // work a second
  bool through = false;       // a collective's part that is done while others' aren't

  [[nodiscard]] double left() const { return delay > 0 ? delay : work / rate; }
};

/// One class of ranks on its way through the schedule.
struct Rank {
  std::vector<std::size_t> next;  // by stream
  std::vector<Running> running;
  IdVector<InstructionId, Span> spans;
  IdVector<InstructionId, char> ended;
};

/// The all-reduce under way. Its flows are the ranks' Running on the network stream.
struct Reduction {
  InstructionId instruction;  // invalid: none
  double bytes = 0;
  std::size_t collective = 0, stage = 0;
};

class Replica {
 public:
  Replica(const Trace& trace, const Schedule& schedule, const Machine& machine)
      : trace_(trace),
        schedule_(schedule),
        machine_(machine),
        costs_(costs_at(trace, schedule.plan.batch)),
        queues_(schedule.streams.size()) {
    for (const InstructionId id : schedule.instructions.ids())
      queues_[schedule.instructions[id].stream.index()].push_back(id);
    const std::size_t instructions = schedule.instructions.size(), streams = schedule.streams.size();
    ranks_.resize(machine.classes(), {.next = std::vector<std::size_t>(streams, 0),
                                      .running = std::vector<Running>(streams),
                                      .spans = IdVector<InstructionId, Span>(instructions),
                                      .ended = IdVector<InstructionId, char>(instructions, 0)});
    for (std::size_t stream = 0; stream < streams; ++stream) {
      if (schedule.streams[StreamId(stream)].role == StreamRole::network) network_ = stream;
    }
  }

  std::vector<IdVector<InstructionId, Span>> run() {
    std::size_t left = schedule_.instructions.size() * ranks_.size();
    while (left > 0) {
      for (std::size_t c = 0; c < ranks_.size(); ++c) start_ready(ranks_[c]);
      begin_reduction();
      share_rates();
      const double step = until_next_change();
      if (step == kNever) refuse_cycle();
      left -= advance(step);
    }
    std::vector<IdVector<InstructionId, Span>> spans;
    for (Rank& rank : ranks_) spans.push_back(std::move(rank.spans));
    return spans;
  }

 private:
  [[nodiscard]] InstructionKind kind(InstructionId id) const { return schedule_.instructions[id].kind; }

  void start_ready(Rank& rank) {
    for (std::size_t stream = 0; stream < queues_.size(); ++stream) {
      if (rank.running[stream].instruction.valid() || rank.next[stream] == queues_[stream].size()) continue;
      const InstructionId id = queues_[stream][rank.next[stream]];
      const Instruction& instruction = schedule_.instructions[id];
      if (!std::ranges::all_of(instruction.waits, [&](InstructionId wait) { return rank.ended[wait] != 0; })) continue;
      ++rank.next[stream];
      rank.spans[id].start = {now_};
      rank.running[stream] = work_of(id, instruction);
      flows_changed_ = true;
    }
  }

  Running work_of(InstructionId id, const Instruction& instruction) const {
    switch (instruction.kind) {
      case InstructionKind::compute:
        return {.instruction = id, .delay = trace_.issue.value, .work = cost(costs_, instruction.op).in_step().value};
      case InstructionKind::swap_in:
      case InstructionKind::swap_out: {
        const Bytes size = bytes_over_links(trace_.graph, instruction, schedule_.plan.batch);
        return {.instruction = id,
                .delay = machine_.platform().host_link.start.value,
                .work = static_cast<double>(size.value)};
      }
      case InstructionKind::all_reduce: return {.instruction = id, .work = kNever};  // until all ranks have come
      case InstructionKind::host_update: break;
    }
    throw input_error(fmt::format("the replica engine can't run '{}' yet", name_of(trace_.graph, instruction)));
  }

  /// Begins the all-reduce that every rank has reached.
  void begin_reduction() {
    if (!network_ || reduction_.instruction.valid()) return;
    const InstructionId id = ranks_.front().running[*network_].instruction;
    const auto has_come = [&](const Rank& rank) { return rank.running[*network_].instruction == id; };
    if (!id.valid() || !std::ranges::all_of(ranks_, has_come)) return;
    const Bytes size = bytes_over_links(trace_.graph, schedule_.instructions[id], schedule_.plan.batch);
    reduction_ = {.instruction = id, .bytes = static_cast<double>(size.value)};
    if (const auto measured = measured_all_reduce(trace_, machine_.platform(), size)) {
      reduction_.collective = machine_.collectives().size();
      begin_stage(measured->value, 0);
      return;
    }
    reduction_.collective = machine_.fastest_all_reduce(size).collective;
    const CollectiveStage& stage = machine_.collectives()[reduction_.collective].stages.front();
    begin_stage(stage.start.value, stage.bytes_per_byte);
  }

  void begin_stage(double start, double bytes_per_byte) {
    for (Rank& rank : ranks_) {
      Running& running = rank.running[*network_];
      running.delay = start;
      running.work = reduction_.bytes * bytes_per_byte;
      running.through = false;
    }
    flows_changed_ = true;
  }

  /// The next stage of the reduction under way, if all parts of this one are through. Returns whether it has ended.
  bool go_on_with_reduction() {
    const auto is_through = [&](const Rank& rank) { return rank.running[*network_].through; };
    if (!reduction_.instruction.valid() || !std::ranges::all_of(ranks_, is_through)) return false;
    if (reduction_.collective < machine_.collectives().size()) {
      const std::vector<CollectiveStage>& stages = machine_.collectives()[reduction_.collective].stages;
      if (++reduction_.stage < stages.size()) {
        begin_stage(stages[reduction_.stage].start.value, stages[reduction_.stage].bytes_per_byte);
        return false;
      }
    }
    return true;
  }

  /// The flow of what runs on a stream; absent: it moves no bytes now.
  [[nodiscard]] std::optional<std::uint32_t> flow(std::size_t c, const Running& running) const {
    if (!running.instruction.valid() || running.delay > 0 || running.through) return std::nullopt;
    switch (kind(running.instruction)) {
      case InstructionKind::swap_in: return machine_.swap_in(c);
      case InstructionKind::swap_out: return machine_.swap_out(c);
      case InstructionKind::all_reduce:
        if (running.work == kNever || running.work == 0 || running.instruction != reduction_.instruction ||
            reduction_.collective == machine_.collectives().size())
          return std::nullopt;
        return machine_.stage_flow(reduction_.collective, reduction_.stage, c);
      default: return std::nullopt;
    }
  }

  void share_rates() {
    if (!flows_changed_) return;
    flows_changed_ = false;
    active_.clear();
    for (std::size_t c = 0; c < ranks_.size(); ++c) {
      for (const Running& running : ranks_[c].running) {
        if (const auto number = flow(c, running)) active_.push_back(*number);
      }
    }
    std::ranges::sort(active_);
    const std::vector<double>& rates = machine_.rates(active_);
    for (std::size_t c = 0; c < ranks_.size(); ++c) {
      double moved = 0;
      for (Running& running : ranks_[c].running) {
        if (const auto number = flow(c, running)) moved += running.rate = rates[*number];
      }
      const double load = std::min(1.0, moved / trace_.interference_rate.value);
      for (Running& running : ranks_[c].running) {
        if (!running.instruction.valid() || kind(running.instruction) != InstructionKind::compute) continue;
        const KernelCost& kernel = cost(costs_, schedule_.instructions[running.instruction].op);
        const double slowdown = std::max(0.0, kernel.seconds_while_copying / kernel.seconds - 1);
        running.rate = 1 / (1 + slowdown * load);
      }
    }
  }

  [[nodiscard]] double until_next_change() const {
    double least = kNever;
    for (const Rank& rank : ranks_) {
      for (const Running& running : rank.running) {
        if (running.instruction.valid() && !running.through) least = std::min(least, running.left());
      }
    }
    return least;
  }

  /// Lets `step` seconds pass; what is through at its end, ends exactly there. Returns how many instructions ended.
  std::size_t advance(double step) {
    std::size_t ended = 0;
    now_ += step;
    for (Rank& rank : ranks_) {
      for (Running& running : rank.running) {
        if (!running.instruction.valid() || running.through || running.work == kNever) continue;
        const bool through = running.left() <= step * (1 + 1e-15);
        if (running.delay > 0) {
          running.delay = through ? 0 : running.delay - step;
          flows_changed_ |= through;
          if (running.delay > 0 || running.work > 0) continue;
        } else if (!through) {
          running.work -= step * running.rate;
          continue;
        }
        flows_changed_ = true;
        if (running.instruction == reduction_.instruction) {
          running.through = true;
        } else {
          ended += end(rank, running);
        }
      }
    }
    if (go_on_with_reduction()) {
      for (Rank& rank : ranks_) ended += end(rank, rank.running[*network_]);
      reduction_ = {};
    }
    return ended;
  }

  std::size_t end(Rank& rank, Running& running) const {
    rank.spans[running.instruction].end = {now_};
    rank.ended[running.instruction] = 1;
    running = {};
    return 1;
  }

  [[noreturn]] void refuse_cycle() const {
    for (const Rank& rank : ranks_) {
      for (std::size_t stream = 0; stream < queues_.size(); ++stream) {
        if (rank.next[stream] == queues_[stream].size()) continue;
        const Instruction& instruction = schedule_.instructions[queues_[stream][rank.next[stream]]];
        throw never_gets_past(trace_.graph, instruction);
      }
    }
    SPILLWAY_CHECK(false, "nothing runs and nothing waits");
  }

  const Trace& trace_;
  const Schedule& schedule_;
  const Machine& machine_;
  const BatchCosts& costs_;
  std::vector<std::vector<InstructionId>> queues_;
  std::optional<std::size_t> network_;  // the stream of all-reduces
  std::vector<Rank> ranks_;             // by class
  Reduction reduction_;
  std::vector<std::uint32_t> active_;
  bool flows_changed_ = true;
  double now_ = 0;
};

}  // namespace

Error never_gets_past(const Graph& graph, const Instruction& instruction) {
  return input_error(fmt::format("the schedule never gets past '{}' at position {}: it waits for itself",
                                 name_of(graph, instruction), instruction.position.value));
}

std::vector<IdVector<InstructionId, Span>> run_replica(const Trace& trace, const Schedule& schedule,
                                                       const Machine& machine) {
  return Replica(trace, schedule, machine).run();
}

}  // namespace spillway
