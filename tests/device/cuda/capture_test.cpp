// A captured step orders exactly what its schedule orders.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "compile/lower.h"
#include "executor/runner.h"
#include "tests/device/cuda/fake_gpu.h"
#include "tests/support/random_step.h"

namespace spillway {
namespace {

/// A kernel for every op, that does nothing.
class Nothing final : public KernelSource {
 public:
  [[nodiscard]] std::vector<CudaKernel> kernels(const OpDescription&) override { return {kernel_}; }

  explicit Nothing(std::string id) {
    kernel_ = {.id = std::move(id), .workspace = {}, .prepare = [] {
                 return [](cudaStream_t stream, const OpPointers&) {
                   fake_cuda_launch(
                       stream, [] {}, "nothing");
                 };
               }};
  }

 private:
  CudaKernel kernel_;
};

using Order = std::vector<std::vector<bool>>;  ///< [a][b]: b is behind a

Order closure(const std::vector<std::vector<std::size_t>>& before) {
  Order behind(before.size(), std::vector<bool>(before.size(), false));
  for (std::size_t b = 0; b < before.size(); ++b) {  // edges go upward
    for (const std::size_t a : before[b]) {
      behind[a][b] = true;
      for (std::size_t c = 0; c < a; ++c) {
        if (behind[c][a]) behind[c][b] = true;
      }
    }
  }
  return behind;
}

Order order_of(const Schedule& schedule) {
  std::vector<std::vector<std::size_t>> before(schedule.instructions.size());
  std::map<StreamId, std::size_t> last;
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    for (const InstructionId wait : instruction.waits) before[id.index()].push_back(wait.index());
    const auto [previous, is_first] = last.emplace(instruction.stream, id.index());
    if (!is_first) before[id.index()].push_back(std::exchange(previous->second, id.index()));
  }
  return closure(before);
}

/// Nodes as they were captured: one for each instruction.
Order order_of(cudaGraph_t graph) {
  std::size_t count = 0;
  EXPECT_EQ(cudaGraphGetNodes(graph, nullptr, &count), cudaSuccess);
  std::vector<cudaGraphNode_t> nodes(count);
  EXPECT_EQ(cudaGraphGetNodes(graph, nodes.data(), &count), cudaSuccess);
  std::map<cudaGraphNode_t, std::size_t> index;
  for (std::size_t i = 0; i < count; ++i) index[nodes[i]] = i;
  std::size_t edges = 0;
  EXPECT_EQ(cudaGraphGetEdges(graph, nullptr, nullptr, nullptr, &edges), cudaSuccess);
  std::vector<cudaGraphNode_t> from(edges), to(edges);
  EXPECT_EQ(cudaGraphGetEdges(graph, from.data(), to.data(), nullptr, &edges), cudaSuccess);
  std::vector<std::vector<std::size_t>> before(count);
  for (std::size_t i = 0; i < edges; ++i) before[index.at(to[i])].push_back(index.at(from[i]));
  return closure(before);
}

TEST(Capture, OrdersExactlyWhatTheScheduleOrders) {
  std::size_t swaps = 0;
  for (unsigned seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    FakeCuda::reset();
    Trace trace = random_step(seed);
    for (KernelCost& kernel : trace.batches.front().kernels) {
      kernel.kernel = "nothing";
      kernel.workspace = {};
    }
    trace.machine.device = "cuda:0";
    const Schedule schedule = std::get<Schedule>(lower(trace, random_plan(trace, seed)));
    swaps += schedule.plan.swaps.size();
    std::vector<std::unique_ptr<KernelSource>> sources;
    sources.push_back(std::make_unique<Nothing>("nothing"));
    const std::unique_ptr<Device> gpu = make_cuda_device(0, std::move(sources));
    Runner runner(*gpu, trace, schedule, Timing::off);
    ASSERT_TRUE(runner.capture());
    EXPECT_EQ(order_of(FakeCuda::last_graph()), order_of(schedule));
    runner.run_graph();
  }
  EXPECT_GT(swaps, 600U);
}

}  // namespace
}  // namespace spillway
