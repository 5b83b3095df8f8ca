#include "tests/device/cuda/captured_order.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "comm/alone.h"
#include "device/cuda/cuda_device.h"
#include "device/wrappers/forward.h"
#include "executor/runner.h"
#include "tests/device/cuda/fake_cuda.h"

namespace spillway {
namespace {

constexpr Bytes kSomeBytes{256};

/// A kernel that does nothing, for every op.
class Nothing final : public KernelSource {
 public:
  [[nodiscard]] std::vector<CudaKernel> kernels(const OpDescription&) override {
    return {{.id = "nothing", .workspace = {}, .prepare = [] {
               return [](cudaStream_t stream, const OpPointers&) {
                 fake_cuda_launch(
                     stream, [] {}, "nothing");
               };
             }}};
  }
};

/// Passes on what orders commands. Neither addresses nor sizes do, so that steps of any size fit.
class OrderOnly final : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;

  void allocate(Bytes, Bytes) override { inner().allocate(kSomeBytes, kSomeBytes); }
  [[nodiscard]] KernelId prepare(const OpDescription&, const std::string&) override {
    if (!kernel_.valid()) kernel_ = inner().prepare({}, "nothing");
    return kernel_;
  }
  void enqueue_op(StreamId stream, KernelId kernel, const OpAddresses&) override {
    inner().enqueue_op(stream, kernel, {});
  }
  void enqueue_swap_out(StreamId stream, Bytes, Bytes, Bytes) override {
    inner().enqueue_swap_out(stream, {}, {}, kSomeBytes);
  }
  void enqueue_swap_in(StreamId stream, Bytes, Bytes, Bytes) override {
    inner().enqueue_swap_in(stream, {}, {}, kSomeBytes);
  }
  /// All-reduces are host functions then; none of them runs.
  [[nodiscard]] std::byte* arena_on_host() override { return reinterpret_cast<std::byte*>(kSomeBytes.value); }

 private:
  KernelId kernel_;
};

/// By instruction: which ones it follows at once.
using Edges = std::vector<std::vector<std::size_t>>;

/// Of each instruction, for every stream, how many of that stream's instructions are before it. Two orders in which
/// each stream's instructions follow each other are the same exactly when their clocks are.
using Clocks = std::vector<std::vector<std::size_t>>;

Clocks clocks_of(const Schedule& schedule, const Edges& before) {
  Clocks clocks;
  std::vector<std::size_t> passed(schedule.streams.size(), 0);
  for (std::size_t i = 0; i < before.size(); ++i) {
    std::vector<std::size_t> clock(schedule.streams.size(), 0);
    for (const std::size_t each : before[i]) {
      for (std::size_t stream = 0; stream < clock.size(); ++stream)
        clock[stream] = std::max(clock[stream], clocks[each][stream]);
      const std::size_t stream = schedule.instructions[InstructionId(each)].stream.index();
      clock[stream] = std::max(clock[stream], clocks[each][stream] + 1);
    }
    clocks.push_back(std::move(clock));
  }
  return clocks;
}

/// The instruction before each one on its stream, as far as there is one.
Edges on_the_same_stream(const Schedule& schedule) {
  Edges before(schedule.instructions.size());
  std::map<StreamId, std::size_t> last;
  for (const InstructionId id : schedule.instructions.ids()) {
    const auto [previous, is_first] = last.emplace(schedule.instructions[id].stream, id.index());
    if (!is_first) before[id.index()].push_back(std::exchange(previous->second, id.index()));
  }
  return before;
}

void must_succeed(cudaError_t code) {
  if (code != cudaSuccess) throw std::runtime_error("the fake refused to list a graph's nodes");
}

/// Which nodes have an edge to each node; nodes in the order of their capture.
Edges edges_of(cudaGraph_t graph) {
  std::size_t count = 0;
  must_succeed(cudaGraphGetNodes(graph, nullptr, &count));
  std::vector<cudaGraphNode_t> nodes(count);
  must_succeed(cudaGraphGetNodes(graph, nodes.data(), &count));
  std::map<cudaGraphNode_t, std::size_t> index;
  for (std::size_t i = 0; i < count; ++i) index[nodes[i]] = i;
  Edges before(count);
  for (const auto& [from, to] : FakeCuda::edges(graph)) before[index.at(to)].push_back(index.at(from));
  return before;
}

}  // namespace

std::string captured_difference(const Trace& trace, const Schedule& enqueued, const Schedule& expected) {
  std::vector<std::unique_ptr<KernelSource>> sources;
  sources.push_back(std::make_unique<Nothing>());
  const std::unique_ptr<Device> gpu = make_cuda_device(0, std::move(sources));
  OrderOnly device(*gpu);
  const std::unique_ptr<Communicator> communicator = alone();
  Runner runner(device, trace, enqueued, Timing::off, communicator.get());
  if (!runner.capture()) return "no graph";

  const Edges captured = edges_of(FakeCuda::last_graph());
  const std::size_t count = expected.instructions.size();
  if (captured.size() != count) return fmt::format("{} nodes for {} instructions", captured.size(), count);
  Edges planned = on_the_same_stream(expected);
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::size_t previous : planned[i]) {  // without which clocks say nothing
      if (std::ranges::count(captured[i], previous) == 0)
        return fmt::format("node {} doesn't follow node {}, the one before it on its stream", i, previous);
    }
    for (const InstructionId wait : expected.instructions[InstructionId(i)].waits) planned[i].push_back(wait.index());
  }
  const Clocks found = clocks_of(expected, captured), wanted = clocks_of(expected, planned);
  for (std::size_t i = 0; i < count; ++i) {
    if (found[i] != wanted[i]) {
      return fmt::format("node {} is behind {} nodes of each stream, its instruction behind {}", i,
                         fmt::join(found[i], ", "), fmt::join(wanted[i], ", "));
    }
  }
  return {};
}

}  // namespace spillway
