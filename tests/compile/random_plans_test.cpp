#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "compile/lower.h"
#include "core/io/files.h"
#include "core/planned_step.h"
#include "sim/simulate.h"
#include "tests/support/random_step.h"
#include "tests/verify/interleave.h"
#include "verify/verify.h"

namespace spillway {
namespace {

constexpr unsigned kSeeds = 600;

void PrintViolations(const std::vector<Violation>& violations) {
  for (const Violation& violation : violations) ADD_FAILURE() << violation.text;
}

/// Durations over four orders of magnitude for every op.
Trace with_other_durations(Trace trace, unsigned seed) {
  std::mt19937 random(seed);
  constexpr double kSeconds[] = {1e-6, 3e-5, 1e-4, 3e-4, 1e-2};
  for (KernelCost& kernel : trace.batches.front().kernels) kernel.seconds = {kSeconds[random() % 5]};
  return trace;
}

TEST(RandomPlans, LegalPlansCompileVerifyAndNeverDeadlock) {
  std::size_t swaps = 0, recomputes = 0, wrapped = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Trace trace = random_step(seed);
    std::optional<GradientReduction> reduction;
    if (seed % 3 == 0) reduction = random_reduction(trace, seed);  // two ranks
    const std::int64_t micro_batches = seed % 4 == 0 ? 2 + seed % 5 % 3 : 1;
    trace = planned_step(trace, micro_batches, reduction);
    if (reduction) {
      trace.machine.gpus_per_node = 2;
      trace.machine.gpu_links =
          GpuLinks{.kind = GpuLinks::Kind::crossbar, .rate = Rate{{1e9}, "test"}, .bricks = {}, .start = {1e-6}};
    }
    ASSERT_THAT(mistakes(trace.graph), testing::IsEmpty());
    Plan plan = random_plan(trace, seed);
    plan.reduction = reduction;
    plan.micro_batches = micro_batches;
    const auto lowered = lower(trace, plan);
    ASSERT_TRUE(std::holds_alternative<Schedule>(lowered));
    const Schedule& schedule = std::get<Schedule>(lowered);
    PrintViolations(verify(trace, schedule));
    for (unsigned other = 0; other < 3; ++other) {  // run_replica throws when instructions wait for each other
      EXPECT_GT(step_times(with_other_durations(trace, seed + other), schedule, trace.machine).step.value, 0);
    }
    EXPECT_EQ(wrong_result(trace, schedule, seed), std::nullopt);

    // Memory is what was said: with exactly these arena bytes as capacity the same plan fits.
    plan.capacity = schedule.arena_bytes;
    const auto tight = lower(trace, plan);
    ASSERT_TRUE(std::holds_alternative<Schedule>(tight));
    EXPECT_LE(std::get<Schedule>(tight).arena_bytes, plan.capacity);
    plan.capacity = schedule.peak_live_bytes - Bytes{1};
    EXPECT_TRUE(std::holds_alternative<Shortfall>(lower(trace, plan)));

    swaps += plan.swaps.size();
    recomputes += plan.recomputes.size();
    for (const Swap& swap : plan.swaps) wrapped += swap.gap.wraps ? 1 : 0;
  }
  EXPECT_GT(swaps, kSeeds * 5);  // the generator makes what the test is about
  EXPECT_GT(recomputes, kSeeds);
  EXPECT_GT(wrapped, kSeeds);
}

TEST(RandomPlans, LoweringTwiceGivesTheSameBytes) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const Trace trace = random_step(seed);
    const Plan plan = random_plan(trace, seed);
    EXPECT_EQ(schedule_text(std::get<Schedule>(lower(trace, plan)), trace.graph),
              schedule_text(std::get<Schedule>(lower(trace, plan)), trace.graph));
  }
}

TEST(RandomPlans, FragmentationIsNearZero) {
  double worst = 0, sum = 0;
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    const Trace trace = random_step(seed);
    const Schedule schedule = std::get<Schedule>(lower(trace, random_plan(trace, seed), Effort::smallest));
    const double part = static_cast<double>((schedule.arena_bytes - schedule.peak_live_bytes).value) /
                        static_cast<double>(schedule.peak_live_bytes.value);
    worst = std::max(worst, part);
    sum += part;
  }
  RecordProperty("mean_fragmentation", std::to_string(sum / kSeeds));
  EXPECT_LT(sum / kSeeds, 0.01);
  EXPECT_LT(worst, 0.2);
}

}  // namespace
}  // namespace spillway
