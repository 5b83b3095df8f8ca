// Losses don't depend on the plan: every policy, every capacity that it finds a plan for, to the last bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "device/wrappers/delay.h"
#include "device/wrappers/poison.h"
#include "tests/support/training.h"
#include "tuner/tune.h"

namespace spillway {
namespace {

constexpr std::int64_t kSteps = 5;

struct Network {
  const char* name;
  const TinyModel* model;
};
const std::vector<Network> kNetworks{{"Mlp", &kTinyMlp}, {"Unet3d", &kTinyUnet}, {"Resnet", &kTinyResnet}};

class EveryNetwork : public testing::TestWithParam<Network> {};

TEST_P(EveryNetwork, HasTheSameLossesUnderEveryPolicyAndCapacity) {
  const Trace trace = profile_tiny(*GetParam().model);
  const std::vector<float> expected = losses_of(trace, *schedule_at(trace, "in-memory", 1.0), kSteps);
  ASSERT_TRUE(std::isfinite(expected.back()));
  ASSERT_NE(expected.front(), expected.back());
  for (const PolicyDescription& policy : policies()) {
    int plans = 0;
    for (const double share : {1.0, 0.6, 0.45}) {
      SCOPED_TRACE(testing::Message() << policy.name << " at " << share);
      const std::optional<Schedule> schedule = schedule_at(trace, policy.name, share);
      if (!schedule) continue;  // an honest no; what must be found is tested with the tuner
      ++plans;
      EXPECT_THAT(losses_of(trace, *schedule, kSteps), testing::ElementsAreArray(expected));
    }
    SCOPED_TRACE(testing::Message() << policy.name << " at the smallest capacity");
    if (const std::optional<Schedule> schedule = smallest_schedule(trace, policy.name)) {
      ++plans;
      EXPECT_THAT(losses_of(trace, *schedule, kSteps), testing::ElementsAreArray(expected));
    }
    EXPECT_GT(plans, 0) << policy.name;
  }
}

TEST_P(EveryNetwork, FitsInLessThanHalfByThreshold) {
  const Trace trace = profile_tiny(*GetParam().model);
  const std::optional<Schedule> schedule = schedule_at(trace, "threshold", 0.6);
  ASSERT_TRUE(schedule.has_value());
  EXPECT_FALSE(schedule->plan.swaps.empty());
}

TEST_P(EveryNetwork, HasTheSameLossesWhateverTheDelays) {
  const Trace trace = profile_tiny(*GetParam().model);
  const std::vector<float> expected = losses_of(trace, *schedule_at(trace, "in-memory", 1.0), 3);
  std::optional<Schedule> schedule = schedule_at(trace, "threshold", 0.45);
  if (!schedule) schedule = smallest_schedule(trace, "threshold");
  ASSERT_TRUE(schedule.has_value());
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Wrap wrap = [&](Device& device) { return delayed(device, {.seed = seed, .longest = {50e-6}, .fixed = {}}); };
    EXPECT_THAT(losses_of(trace, *schedule, 3, wrap), testing::ElementsAreArray(expected));
  }
}

TEST_P(EveryNetwork, ReadsNothingThatHasEnded) {
  const Trace trace = profile_tiny(*GetParam().model);
  const std::vector<float> expected = losses_of(trace, *schedule_at(trace, "in-memory", 1.0), 3);
  const std::optional<Schedule> schedule = smallest_schedule(trace, "swap-all");
  ASSERT_TRUE(schedule.has_value());
  EXPECT_THAT(losses_of(trace, *schedule, 3, [](Device& device) { return poisoned(device); }),
              testing::ElementsAreArray(expected));
}

INSTANTIATE_TEST_SUITE_P(Networks, EveryNetwork, testing::ValuesIn(kNetworks),
                         [](const auto& network) { return network.param.name; });

TEST(SwapAll, MovesParametersAndOptimizerStateThatOutweighTheActivations) {
  const Trace trace = profile_tiny(kHeavyMlp);
  Bytes lasting, activations;
  for (const Buffer& buffer : trace.graph.buffers) {
    if (is_lasting(buffer.role)) lasting += bytes(buffer, kHeavyMlp.batch);
    if (buffer.role == Role::activation) activations += bytes(buffer, kHeavyMlp.batch);
  }
  ASSERT_GT(lasting, 10 * activations);
  const std::vector<float> expected = losses_of(trace, *schedule_at(trace, "in-memory", 1.0), kSteps);
  const std::optional<Schedule> schedule = smallest_schedule(trace, "swap-all");
  ASSERT_TRUE(schedule.has_value());
  EXPECT_LT(schedule->arena_bytes, lasting) << "some parameters must have been away";
  EXPECT_THAT(losses_of(trace, *schedule, kSteps), testing::ElementsAreArray(expected));
}

}  // namespace
}  // namespace spillway
