#include "profiler/step_timer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <utility>

#include "core/statistics.h"
#include "profiler/operand_copies.h"
#include "profiler/step_places.h"

namespace spillway {
namespace {

constexpr Seconds kEnough{10};  // no further step once all took so long
// Ops between two waits: a GPU that is enqueued to one by one would rest between short ones and be timed resting, and a
// held CUDA stream takes some thousand commands.
constexpr std::size_t kOpsAtOnce = 100;

class StepTimer {
 public:
  StepTimer(Workbench& bench, const Graph& graph, const std::vector<const Candidate*>& kernels, StepPlaces places)
      : bench_(bench),
        device_(bench.device()),
        kernels_(kernels),
        places_(std::move(places)),
        stream_(device_.create_stream(StreamRole::compute, graph.ops.size() + 2)),
        begun_(device_.create_event()),
        ended_(device_.create_event()) {
    for (OperandPlaces& op : places_.ops) {
      for (std::vector<Bytes>* operands : {&op.inputs, &op.outputs}) {
        for (Bytes& at : *operands) at += bench.operands();
      }
      op.workspace += bench.operands();
    }
    for (auto& [begun, ended] : op_events_) {
      begun = device_.create_event();
      ended = device_.create_event();
    }
    for (const StepPlaces::Integers& integers : places_.integers)
      fill_operand(bench, bench.operands() + integers.at, integers.operand);
  }

  StepTiming time(std::int64_t runs) {
    std::vector<std::vector<Seconds>> of_op(kernels_.size());
    repeat(runs, [&](bool counts) {
      const std::vector<Seconds> ops = run_timing_ops();
      for (std::size_t i = 0; i < ops.size() && counts; ++i) of_op[i].push_back(ops[i]);
    });
    std::vector<Seconds> steps;
    const std::optional<GraphId> captured = device_.capture([&] { enqueue_all(); });
    repeat(runs, [&](bool counts) {
      const Seconds step = captured ? replay(*captured) : run_at_once();
      if (counts) steps.push_back(step);
    });
    StepTiming timing{.ops = {}, .step = median(steps)};
    for (const std::vector<Seconds>& each : of_op) timing.ops.push_back(median(each));
    return timing;
  }

 private:
  using Clock = std::chrono::steady_clock;

  static Seconds since(Clock::time_point begin) {
    return {std::chrono::duration<double>(Clock::now() - begin).count()};
  }

  /// Calls run(whether it counts): once to warm up, then so often, or at least once if that would take long.
  void repeat(std::int64_t runs, const std::function<void(bool)>& run) {
    bench_.fill_uniform(bench_.operands() + places_.floats, bench_.room() - places_.floats);
    const auto begin = Clock::now();
    run(false);
    for (std::int64_t i = 0; i < runs && (i == 0 || since(begin) < kEnough); ++i) run(true);
  }

  void enqueue(StreamId stream, std::size_t op) {
    const OperandPlaces& places = places_.ops[op];
    device_.enqueue_op(stream, kernels_[op]->kernel, {places.inputs, places.outputs, places.workspace});
  }
  void enqueue_all() {
    for (std::size_t op = 0; op < kernels_.size(); ++op) enqueue(stream_, op);
  }

  std::vector<Seconds> run_timing_ops() {
    std::vector<Seconds> seconds;
    const StreamId stream = bench_.compute();
    for (std::size_t from = 0; from < kernels_.size(); from += kOpsAtOnce) {
      const std::size_t count = std::min(kOpsAtOnce, kernels_.size() - from);
      const std::uint64_t value = bench_.next_value();
      bench_.hold(stream);
      for (std::size_t i = 0; i < count; ++i) {
        device_.enqueue_record(stream, op_events_[i].begun, value);
        enqueue(stream, from + i);
        device_.enqueue_record(stream, op_events_[i].ended, value);
      }
      bench_.release();
      bench_.finish(stream);
      for (std::size_t i = 0; i < count; ++i)
        seconds.push_back(device_.elapsed(op_events_[i].begun, op_events_[i].ended));
    }
    return seconds;
  }

  Seconds run_at_once() {
    const std::uint64_t value = bench_.next_value();
    device_.enqueue_record(stream_, begun_, value);
    enqueue_all();
    device_.enqueue_record(stream_, ended_, value);
    device_.wait(ended_, value);
    return device_.elapsed(begun_, ended_);
  }

  Seconds replay(GraphId graph) {
    const auto begin = Clock::now();
    device_.replay(graph);
    return since(begin);
  }

  struct OpEvents {
    EventId begun, ended;
  };

  Workbench& bench_;
  Device& device_;
  const std::vector<const Candidate*>& kernels_;
  StepPlaces places_;
  StreamId stream_;
  EventId begun_, ended_;
  std::array<OpEvents, kOpsAtOnce> op_events_;
};

}  // namespace

std::optional<StepTiming> time_step(Workbench& bench, const Graph& graph, std::int64_t batch,
                                    const std::vector<const Candidate*>& kernels, std::int64_t runs) {
  std::vector<Bytes> workspaces;
  for (const Candidate* const kernel : kernels) workspaces.push_back(kernel->option.workspace);
  std::optional<StepPlaces> places =
      place_step(graph, batch, workspaces, bench.room(), bench.device().properties().alignment);
  if (!places) return std::nullopt;
  return StepTimer(bench, graph, kernels, *std::move(places)).time(runs);
}

}  // namespace spillway
