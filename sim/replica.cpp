#include "sim/replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "core/error.h"
#include "sim/link.h"

namespace spillway {
namespace {

/// What an instruction has left: first seconds that pass anyhow, then work that passes at a rate.
struct Running {
  InstructionId instruction;  // invalid: the stream is idle
  double delay = 0;           // seconds
  double work = 0;            // seconds of solo compute, or bytes
  double rate = 1;            // work a second
};

class Replica {
 public:
  Replica(const Trace& trace, const Schedule& schedule, const Platform& platform)
      : trace_(trace),
        schedule_(schedule),
        link_(platform.host_link),
        costs_(costs_at(trace, schedule.plan.batch)),
        queues_(schedule.streams.size()),
        next_(schedule.streams.size(), 0),
        running_(schedule.streams.size()),
        spans_(schedule.instructions.size()),
        ended_(schedule.instructions.size(), 0) {
    for (const InstructionId id : schedule.instructions.ids())
      queues_[schedule.instructions[id].stream.index()].push_back(id);
  }

  IdVector<InstructionId, Span> run() {
    std::size_t left = schedule_.instructions.size();
    while (left > 0) {
      start_ready();
      share_rates();
      const double step = until_next_change();
      if (step == std::numeric_limits<double>::infinity()) refuse_cycle();
      left -= advance(step);
    }
    return std::move(spans_);
  }

 private:
  void start_ready() {
    for (std::size_t stream = 0; stream < queues_.size(); ++stream) {
      if (running_[stream].instruction.valid() || next_[stream] == queues_[stream].size()) continue;
      const InstructionId id = queues_[stream][next_[stream]];
      const Instruction& instruction = schedule_.instructions[id];
      if (!std::ranges::all_of(instruction.waits, [&](InstructionId wait) { return ended_[wait] != 0; })) continue;
      ++next_[stream];
      spans_[id].start = {now_};
      running_[stream] = work_of(id, instruction);
    }
  }

  Running work_of(InstructionId id, const Instruction& instruction) const {
    switch (instruction.kind) {
      case InstructionKind::compute:
        return {.instruction = id, .delay = trace_.issue.value, .work = cost(costs_, instruction.op).seconds.value};
      case InstructionKind::swap_in:
      case InstructionKind::swap_out: {
        const Bytes size = bytes(trace_.graph.buffers[instruction.buffer], schedule_.plan.batch);
        return {.instruction = id, .delay = link_.start.value, .work = static_cast<double>(size.value)};
      }
      case InstructionKind::all_reduce:
      case InstructionKind::host_update: break;
    }
    throw input_error(fmt::format("the replica engine can't run '{}' yet", name_of(trace_.graph, instruction)));
  }

  [[nodiscard]] InstructionKind kind(const Running& running) const {
    return schedule_.instructions[running.instruction].kind;
  }

  void share_rates() {
    bool in = false, out = false;
    for (const Running& running : running_) {
      if (!running.instruction.valid() || running.delay > 0) continue;
      in |= kind(running) == InstructionKind::swap_in;
      out |= kind(running) == InstructionKind::swap_out;
    }
    const LinkShare rates = share(link_, in, out);
    const double load = std::min(1.0, (rates.in.value + rates.out.value) / trace_.interference_rate.value);
    for (Running& running : running_) {
      if (!running.instruction.valid()) continue;
      switch (kind(running)) {
        case InstructionKind::swap_in: running.rate = rates.in.value; break;
        case InstructionKind::swap_out: running.rate = rates.out.value; break;
        default: {
          const KernelCost& kernel = cost(costs_, schedule_.instructions[running.instruction].op);
          const double slowdown = std::max(0.0, kernel.seconds_while_copying / kernel.seconds - 1);
          running.rate = 1 / (1 + slowdown * load);
        }
      }
    }
  }

  [[nodiscard]] static double left(const Running& running) {
    return running.delay > 0 ? running.delay : running.work / running.rate;
  }

  [[nodiscard]] double until_next_change() const {
    double least = std::numeric_limits<double>::infinity();
    for (const Running& running : running_) {
      if (running.instruction.valid()) least = std::min(least, left(running));
    }
    return least;
  }

  /// Lets `step` seconds pass; what is through at its end, ends exactly there. Returns how many ended.
  std::size_t advance(double step) {
    std::size_t ended = 0;
    now_ += step;
    for (Running& running : running_) {
      if (!running.instruction.valid()) continue;
      const bool through = left(running) <= step * (1 + 1e-15);
      if (running.delay > 0) {
        running.delay = through ? 0 : running.delay - step;
        if (running.delay > 0 || running.work > 0) continue;
      } else if (!through) {
        running.work -= step * running.rate;
        continue;
      }
      spans_[running.instruction].end = {now_};
      ended_[running.instruction] = 1;
      running.instruction = {};
      ++ended;
    }
    return ended;
  }

  [[noreturn]] void refuse_cycle() const {
    for (std::size_t stream = 0; stream < queues_.size(); ++stream) {
      if (next_[stream] == queues_[stream].size()) continue;
      const Instruction& instruction = schedule_.instructions[queues_[stream][next_[stream]]];
      throw input_error(fmt::format("the schedule never gets past '{}' at position {}: it waits for itself",
                                    name_of(trace_.graph, instruction), instruction.position.value));
    }
    SPILLWAY_CHECK(false, "nothing runs and nothing waits");
  }

  const Trace& trace_;
  const Schedule& schedule_;
  const HostLink& link_;
  const BatchCosts& costs_;
  std::vector<std::vector<InstructionId>> queues_;
  std::vector<std::size_t> next_;
  std::vector<Running> running_;
  IdVector<InstructionId, Span> spans_;
  IdVector<InstructionId, char> ended_;
  double now_ = 0;
};

}  // namespace

IdVector<InstructionId, Span> run_replica(const Trace& trace, const Schedule& schedule, const Platform& platform) {
  return Replica(trace, schedule, platform).run();
}

}  // namespace spillway
