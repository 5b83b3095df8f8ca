// Data-parallel training on several fake GPUs, whose ranks are threads; tests/executor has the same for the CPU.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/gradients.h"
#include "device/cpu/thread_sanitizer.h"
#include "tests/device/cuda/ranks_on_fake_gpus.h"

namespace spillway {
namespace {

std::unique_ptr<Device> own_gpu(int rank) {
  return fake_gpu(rank);
}

class RanksOnFakeGpus : public testing::TestWithParam<TinyModel> {
 protected:
  Trace trace_ = profile_on_three_gpus(GetParam());
};

class MlpOnFakeGpus : public testing::Test {
 protected:
  Trace trace_ = profile_on_three_gpus(kTinyMlp);
  Planned planned_ = plan_for({.trace = &trace_, .ranks = 2});
};

TEST_P(RanksOnFakeGpus, HaveTheLossesOfAsManyMicroBatches) {
  // Both add up in the same order: the first pass or rank, then the second, and so on, then the mean.
  for (const int count : {2, 3}) {
    const Planned passes = plan_for({.trace = &trace_, .micro_batches = count});
    const std::vector<float> expected = train_on(1, passes, Issue::enqueued, own_gpu).front().losses;
    ASSERT_EQ(expected.size(), static_cast<std::size_t>(kStepsOnFakeGpus));
    const Planned planned = plan_for({.trace = &trace_, .ranks = count});
    for (const Issue issue : {Issue::enqueued, Issue::graph}) {
      SCOPED_TRACE(testing::Message() << count << " ranks, " << (issue == Issue::graph ? "a graph" : "enqueued"));
      for (const Trained& rank : train_on(count, planned, issue, own_gpu)) EXPECT_EQ(rank.losses, expected);
    }
  }
}

TEST_P(RanksOnFakeGpus, HaveTheSameLossesWhateverThePlanAndTheBuckets) {
  const auto expected = train_on(2, plan_for({.trace = &trace_, .ranks = 2}), Issue::enqueued, own_gpu).front().losses;
  GradientReduction single{.buckets = {}, .updates_behind = 2};
  for (const BufferId gradient : parameter_gradients(trace_.graph)) single.buckets.push_back({gradient});
  const Planned swapped =
      plan_for({.trace = &trace_, .ranks = 2, .policy = "swap-all", .share = 0.7, .reduction = single});
  EXPECT_FALSE(swapped.schedule.plan.swaps.empty());
  EXPECT_EQ(train_on(2, swapped, Issue::enqueued, own_gpu).back().losses, expected);
  for (const std::uint64_t seed : {1, 2}) {
    FakeCuda::seed(seed);  // another order of what the graphs leave open
    EXPECT_EQ(train_on(2, swapped, Issue::graph, own_gpu).back().losses, expected) << "seed " << seed;
  }
}

#ifdef SPILLWAY_THREAD_SANITIZER  // under which loops over convolutions take minutes
INSTANTIATE_TEST_SUITE_P(Networks, RanksOnFakeGpus, testing::Values(kTinyMlp),
                         [](const auto& tested) { return tested.param.name; });
#else
INSTANTIATE_TEST_SUITE_P(Networks, RanksOnFakeGpus, testing::Values(kTinyMlp, kTinyUnet),
                         [](const auto& tested) { return tested.param.name; });
#endif

TEST_F(MlpOnFakeGpus, LeavesNothingBehind) {
  static_cast<void>(train_on(2, planned_, Issue::graph, own_gpu));
  EXPECT_THAT(FakeCuda::leaks(), testing::IsEmpty());
}

TEST_F(MlpOnFakeGpus, StagesTheLargestAllReduceInTheHostPool) {
  Bytes largest;  // all-reduce
  for (const Op& op : planned_.step.graph.ops) {
    if (!std::holds_alternative<AllReduce>(op.attributes)) continue;
    Bytes sum;
    for (const TensorId tensor : op.outputs) sum += bytes(planned_.step.graph.tensors[tensor], kTinyMlp.batch);
    largest = std::max(largest, sum);
  }
  Bytes lasting;  // what set and get stage
  for (const StartState& state : planned_.schedule.start) {
    const Buffer& buffer = planned_.step.graph.buffers[state.buffer];
    if (state.residency.valid()) lasting = std::max(lasting, bytes(buffer, kTinyMlp.batch));
  }
  Bytes slots;
  for (const HostSlot& slot : planned_.schedule.host_slots) slots += align_up(slot.bytes, planned_.schedule.alignment);
  EXPECT_EQ(planned_.schedule.host_bytes, slots + align_up(lasting, planned_.schedule.alignment) + largest);
  EXPECT_EQ(train_on(2, planned_, Issue::enqueued, own_gpu).front().host_pool, planned_.schedule.host_bytes);
}

TEST_F(MlpOnFakeGpus, IsRefusedWhereAddingUpOnTheHostTakesMoreThanTheHostCapacity) {
  const Bytes needed = planned_.schedule.host_bytes;
  trace_.all_reduces = {{.ranks = 2, .points = {{1_KiB, 1.0_ms}}, .by = "NCCL 2.28.9"}};
  const Bytes planned = plan_for({.trace = &trace_, .ranks = 2}).schedule.host_bytes;
  EXPECT_LT(planned, needed);
  const Planned bound = plan_for({.trace = &trace_, .ranks = 2, .host_capacity = planned});
  try {
    static_cast<void>(train_on(2, bound, Issue::enqueued, own_gpu));  // which have no NCCL
    FAIL() << "expected a refusal";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine);
    EXPECT_EQ(std::string(error.what()),
              fmt::format("the host pool takes {} bytes here, the plan's host capacity is {}: ranks add up gradients "
                          "otherwise than where the trace was recorded; make the plan again with a larger "
                          "--host-capacity",
                          needed.value, planned.value));
  }
  EXPECT_THAT(FakeCuda::leaks(), testing::IsEmpty());
}

TEST_F(MlpOnFakeGpus, IsRefusedWhereTwoRanksHaveTheSameGpu) {
  try {
    static_cast<void>(train_on(2, planned_, Issue::enqueued, [](int) { return fake_gpu(1); }));
    FAIL() << "expected a refusal";
  } catch (const AgreedError& error) {
    EXPECT_STREQ(
        error.what(),
        "ranks 0 and 1 both run on cuda:1 (GPU-00000000-0000-0000-0000-000000000001), expected a GPU of its own "
        "for each rank; give '--device cuda' without a number, by which each rank takes its node's next GPU, and "
        "start no more ranks on a node than it has GPUs");
  }
  EXPECT_THAT(FakeCuda::leaks(), testing::IsEmpty());
}

TEST_F(MlpOnFakeGpus, EndsOnAllRanksWhenOneGpuRunsOutOfMemory) {
  FakeCuda::fail("cudaMalloc", 1, cudaErrorMemoryAllocation);  // one rank's arena
  try {
    static_cast<void>(train_on(2, planned_, Issue::enqueued, own_gpu));
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine);
    EXPECT_THAT(error.what(), testing::HasSubstr("cudaErrorMemoryAllocation"));
  }
  EXPECT_THAT(FakeCuda::leaks(), testing::IsEmpty());
}

}  // namespace
}  // namespace spillway
