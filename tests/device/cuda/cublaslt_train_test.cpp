// A network of linear ops, whose products are cuBLASLt's, from profile to losses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device/cuda/cublaslt_kernels.h"
#include "executor/train.h"
#include "tests/device/cuda/fake_cublaslt.h"
#include "tests/device/cuda/fake_gpu.h"
#include "tests/support/error_of.h"
#include "tests/support/training.h"

namespace spillway {
namespace {

/// As make_gpu orders them: the library before our own loops.
std::unique_ptr<Device> gpu_with_cublaslt(bool tf32 = false) {
  std::vector<std::unique_ptr<KernelSource>> sources;
  use_gpu(0);
  sources.push_back(std::make_unique<CublasLtKernels>(streamed_launches(), tf32));
  sources.push_back(std::make_unique<ElementKernels>(streamed_launches()));
  return make_cuda_device(0, std::move(sources));
}

class CublasLtTraining : public testing::Test {
 protected:
  CublasLtTraining() {
    FakeCuda::reset();
    FakeCublasLt::reset();
  }

  static std::vector<std::string> kernels_of_linear_ops(const Trace& trace) {
    std::vector<std::string> ids;
    const BatchCosts& costs = trace.batches.front();
    for (std::uint32_t i = 0; i < trace.graph.ops.size(); ++i) {
      if (kind_of(trace.graph.ops[OpId{i}].attributes).starts_with(Linear::kKind))
        ids.push_back(costs.kernels[costs.kernel_of[OpId{i}]].kernel);
    }
    EXPECT_GT(ids.size(), 6U);  // forward, both gradients, of three layers and a head
    return ids;
  }
  static std::vector<float> losses(Device& gpu, const Trace& trace, const Schedule& schedule, Issue issue) {
    TrainRequest request;
    request.trace = &trace;
    request.schedule = &schedule;
    request.steps = 3;
    request.issue = issue;
    return train(gpu, request).losses;
  }
};

TEST_F(CublasLtTraining, GivesTheSameBitsWhateverThePlanEnqueuedAndAsAGraph) {
  {
    Trace trace = profile_tiny(kTinyMlp, *gpu_with_cublaslt());
    EXPECT_THAT(kernels_of_linear_ops(trace), testing::Each(testing::StartsWith("cublaslt 13.1.0|sm_80x108|linear")));
    // Every kernel of the fake takes as long as a host happens to need; a slow link beside it makes plans swap.
    HostLink& link = trace.machine.host_link;
    link.in = link.out = {{0.2e9}, "assumed: for the test"};
    link.both.reset();
    const Schedule kept = schedule_at(trace, "in-memory", 1).value(),
                   swapped = schedule_at(trace, "threshold", 0.6).value();
    EXPECT_FALSE(swapped.plan.swaps.empty());
    const std::uint64_t before = FakeCublasLt::calls("cublasLtMatmul");
    const std::vector<float> expected = losses(*gpu_with_cublaslt(), trace, kept, Issue::enqueued);
    EXPECT_GT(FakeCublasLt::calls("cublasLtMatmul"), before);
    for (const float loss : expected) EXPECT_TRUE(std::isfinite(loss));
    EXPECT_EQ(losses(*gpu_with_cublaslt(), trace, kept, Issue::graph), expected);
    EXPECT_EQ(losses(*gpu_with_cublaslt(), trace, swapped, Issue::enqueued), expected);
    EXPECT_EQ(losses(*gpu_with_cublaslt(), trace, swapped, Issue::graph), expected);

    const Trace direct = profile_tiny(kTinyMlp, *fake_gpu());
    const std::vector<float> loops =
        losses(*fake_gpu(), direct, schedule_at(direct, "in-memory", 1).value(), Issue::enqueued);
    ASSERT_EQ(loops.size(), expected.size());
    for (std::size_t step = 0; step < loops.size(); ++step)
      EXPECT_NEAR(expected[step], loops[step], 1e-5 * std::abs(loops[step])) << "step " << step;
  }
  EXPECT_THAT(FakeCublasLt::leaks(), testing::IsEmpty());
  EXPECT_THAT(FakeCuda::leaks(), testing::IsEmpty());
}

TEST_F(CublasLtTraining, RunsATf32PlanOnADeviceThatWasNotAskedForTf32) {
  const std::string device = gpu_with_cublaslt(true)->properties().device;
  EXPECT_EQ(device, "cuda:0,tf32");
  const Trace trace = profile_tiny(kTinyMlp, *gpu_with_cublaslt(true));
  EXPECT_EQ(trace.provenance.device, device);
  EXPECT_EQ(trace.machine.device, device);
  EXPECT_THAT(kernels_of_linear_ops(trace), testing::Each(testing::HasSubstr("|tf32")));
  const Schedule kept = schedule_at(trace, "in-memory", 1).value();
  EXPECT_EQ(kept.plan.platform.device, device);
  const std::vector<float> expected = losses(*gpu_with_cublaslt(true), trace, kept, Issue::enqueued);
  EXPECT_EQ(losses(*gpu_with_cublaslt(false), trace, kept, Issue::enqueued), expected);

  const Trace precise = profile_tiny(kTinyMlp, *gpu_with_cublaslt());
  EXPECT_NE(losses(*gpu_with_cublaslt(), precise, schedule_at(precise, "in-memory", 1).value(), Issue::enqueued),
            expected);
}

TEST_F(CublasLtTraining, RefusesTf32OnAGpuWithoutIt) {
  FakeCuda::set_device({.name = "Tesla T4", .major = 7, .minor = 5});
  EXPECT_EQ(gpu_with_cublaslt()->properties().device, "cuda:0");
  EXPECT_EQ(error_of([] { static_cast<void>(gpu_with_cublaslt(true)); }),
            "3: --device cuda:0,tf32: Tesla T4 is of compute capability 7.5, TF32 needs 8.0 or newer; leave tf32 out");
}

}  // namespace
}  // namespace spillway
