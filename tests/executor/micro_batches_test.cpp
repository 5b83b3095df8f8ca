// Gradients accumulated over several passes, against larger batches and against several ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "tests/support/ranks.h"
#include "tests/support/training.h"

namespace spillway {
namespace {

constexpr std::int64_t kSteps = 4;

std::vector<float> losses(const Planned& planned, const ChangeRequest& change = {}) {
  return losses_on_ranks(1, planned, kSteps, change).front();
}

class MicroBatches : public testing::TestWithParam<TinyModel> {};

TEST_P(MicroBatches, TrainAsOneBatchWithAllTheirSamples) {
  const Trace trace = profile_tiny(GetParam());
  for (const int passes : {2, 3}) {
    const std::vector<float> found = losses(plan_for({.trace = &trace, .micro_batches = passes}));
    EXPECT_EQ(found.size(), static_cast<std::size_t>(kSteps));
    expect_trained_as_one_batch(found, GetParam(), passes);
  }
}

TEST_P(MicroBatches, GiveTheSameBitsWhateverThePlan) {
  const Trace trace = profile_tiny(GetParam());
  const PlanFor kept{.trace = &trace, .micro_batches = 3};
  PlanFor swapped = kept, tight = kept;
  swapped.policy = "swap-all";
  swapped.share = 0.9;
  tight.policy = "threshold";
  tight.share = 0.75;
  const std::vector<float> expected = losses(plan_for(kept));
  EXPECT_EQ(losses(plan_for(kept)), expected);
  EXPECT_EQ(losses(plan_for(swapped)), expected);
  const Planned planned = plan_for(tight);
  EXPECT_FALSE(planned.schedule.plan.swaps.empty());
  EXPECT_EQ(losses(planned), expected);
}

TEST_P(MicroBatches, GiveTheSameBitsAsAsManyRanks) {
  // Both add up in the same order: the first pass or rank, then the second, and so on, then the mean.
  const Trace trace = profile_tiny(GetParam());
  for (const int count : {2, 3}) {
    const std::vector<float> passes = losses(plan_for({.trace = &trace, .micro_batches = count}));
    const auto ranks = losses_on_ranks(count, plan_for({.trace = &trace, .ranks = count}), kSteps);
    EXPECT_EQ(ranks.front(), passes) << count;
  }
}

TEST_P(MicroBatches, OfSeveralRanksTrainAsTheirProduct) {
  const Trace trace = profile_tiny(GetParam());
  const std::vector<float> expected = losses(plan_for({.trace = &trace, .micro_batches = 4}));
  const auto found = losses_on_ranks(2, plan_for({.trace = &trace, .ranks = 2, .micro_batches = 2}), kSteps);
  EXPECT_EQ(found[0], found[1]);
  for (std::size_t step = 0; step < expected.size(); ++step)
    EXPECT_NEAR(found[0][step], expected[step], 1e-5 * std::abs(expected[step])) << "step " << step;
}

INSTANTIATE_TEST_SUITE_P(Networks, MicroBatches, testing::Values(kTinyMlp, kTinyUnet),
                         [](const auto& tested) { return tested.param.name; });

TEST(MicroBatchesOfABatchNorm, GiveTheSameBitsWithAndWithoutSwapping) {
  const Trace trace = profile_tiny(kTinyResnet);
  const std::vector<float> expected = losses(plan_for({.trace = &trace, .micro_batches = 2}));
  EXPECT_EQ(losses(plan_for({.trace = &trace, .micro_batches = 2, .policy = "swap-all", .share = 0.9})), expected);
}

TEST(MicroBatchesOfATraining, MayChangeIntoRanksAtACheckpoint) {
  const Trace trace = profile_tiny(kTinyMlp);
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("spillway_micro_" + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  const auto with_checkpoint = [&](std::int64_t steps, bool resume) {
    return [=](int, TrainRequest& request) {
      request.steps = steps;
      request.checkpoint = folder.string();
      request.resume = resume;
    };
  };
  const Planned passes = plan_for({.trace = &trace, .micro_batches = 2});
  const Planned ranks = plan_for({.trace = &trace, .ranks = 2});
  const std::vector<float> whole = losses(passes);
  EXPECT_THAT(losses(passes, with_checkpoint(2, false)), testing::ElementsAre(whole[0], whole[1]));
  const auto rest = losses_on_ranks(2, ranks, kSteps, with_checkpoint(kSteps, true));
  EXPECT_THAT(rest.front(), testing::ElementsAre(whole[2], whole[3]));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace spillway
