#include "sim/transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/sim/hand_made.h"
#include "tests/sim/platforms.h"

namespace spillway {
namespace {

using testing::HasSubstr;

Gpu gpu(const std::string& name, double flops, double memory) {
  return {.name = name,
          .fp32 = {.flops_per_second = flops, .source = "test"},
          .tf32 = {},
          .fp16 = {},
          .memory = {{memory}, "test"},
          .memory_measured = {}};
}

/// An op of 8 GFLOP on 1 MB, and one of 1 FLOP on 400 MB, 10 ms each and 12 ms beside copies.
HandMade two_ops() {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.compute(10.0_ms, {}, 12.0_ms);
  made.compute(10.0_ms, {}, 12.0_ms);
  made.trace.issue = {2e-6};
  const std::int64_t sizes[] = {1'000'000, 400'000'000};
  const double flops[] = {8e9, 1};
  for (std::size_t i = 0; i < 2; ++i) {
    const BufferId buffer = made.trace.graph.buffers.push_back({.name = "x" + std::to_string(i),
                                                                .role = Role::activation,
                                                                .bytes_fixed = {sizes[i]},
                                                                .bytes_per_sample = {},
                                                                .initializer = {}});
    const TensorId tensor = made.trace.graph.tensors.push_back({.name = "x" + std::to_string(i),
                                                                .buffer = buffer,
                                                                .offset = {},
                                                                .type = ElementType::float32,
                                                                .batched = false,
                                                                .extents = {sizes[i] / 4}});
    Op& op = made.trace.graph.ops[OpId(i)];
    op.outputs = {tensor};
    op.flops_fixed = flops[i];
  }
  return made;
}

const KernelCost& cost_of(const Transferred& result, std::size_t op) {
  return cost(result.trace.batches.front(), OpId(op));
}

TEST(Transfer, AMachineWithoutAGpuOrWithTheTracedOneTakesWhatWasMeasured) {
  HandMade made = two_ops();
  EXPECT_EQ(transferred(made.trace, separate_gpus(2)).trace, made.trace);
  made.trace.machine.gpu = gpu("A", 1e12, 1e11);
  Platform same = separate_gpus(2);
  same.gpu = made.trace.machine.gpu;
  EXPECT_EQ(transferred(made.trace, same).trace, made.trace);
  EXPECT_THAT(transferred(made.trace, same).how, HasSubstr("measured on test"));
}

TEST(Transfer, AnotherGpuScalesByTheRooflineOfEachOp) {
  // A: 8 ms by FLOPs, 4 ms by bytes. B has 4 times the FLOPs and twice the bandwidth.
  HandMade made = two_ops();
  made.trace.machine.gpu = gpu("A", 1e12, 1e11);
  Platform other = separate_gpus(1);
  other.gpu = gpu("B", 4e12, 2e11);
  const Transferred result = transferred(made.trace, other);
  EXPECT_DOUBLE_EQ(cost_of(result, 0).seconds.value, 0.0025);
  EXPECT_DOUBLE_EQ(cost_of(result, 1).seconds.value, 0.005);
  EXPECT_DOUBLE_EQ(cost_of(result, 1).seconds_while_copying.value, 0.006);  // interference is carried over
  EXPECT_EQ(result.trace.issue, made.trace.issue);
  EXPECT_THAT(result.how, HasSubstr("scaled to B by roofline"));
}

TEST(Transfer, AnOpMayChangeFromOneSideOfTheRooflineToTheOther) {
  // On A bound by FLOPs, 8 ms; on B by bytes: 1 MB at 1e8 a second, 10 ms.
  HandMade made = two_ops();
  made.trace.machine.gpu = gpu("A", 1e12, 1e11);
  Platform other = separate_gpus(1);
  other.gpu = gpu("B", 8e12, 1e8);
  EXPECT_DOUBLE_EQ(cost_of(transferred(made.trace, other), 0).seconds.value, 0.0125);
}

TEST(Transfer, FromATraceWithoutAGpuEfficiencyIsAssumedAndSaid) {
  const HandMade made = two_ops();
  Platform platform = separate_gpus(1);
  platform.gpu = gpu("B", 4e12, 2e11);
  platform.gpu->memory_measured = Rate{{1e11}, "test"};
  platform.gpu->assumed_efficiency = 0.5;
  const Transferred result = transferred(made.trace, platform);
  EXPECT_DOUBLE_EQ(cost_of(result, 0).seconds.value, 0.004);  // 2 ms of FLOPs at half the rate
  EXPECT_DOUBLE_EQ(cost_of(result, 1).seconds.value, 0.008);  // 4 ms of bytes at the measured rate
  EXPECT_EQ(cost_of(result, 1).seconds_while_copying, cost_of(result, 1).seconds);
  EXPECT_THAT(result.how, HasSubstr("assumed at 50 % of B's roofline"));
}

}  // namespace
}  // namespace spillway
