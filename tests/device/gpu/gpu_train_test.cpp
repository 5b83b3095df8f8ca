// Tiny networks on the GPU from profile to losses: the same bits whatever the plan and however steps are issued.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/training.h"

namespace spillway {
namespace {

constexpr std::int64_t kSteps = 3;

class OnTheGpu : public testing::TestWithParam<TinyModel> {};

TEST_P(OnTheGpu, LossesHaveTheSameBitsAt100And45PercentEnqueuedAndAsAGraph) {
  Trace trace = profile_tiny(GetParam(), "cuda:0");
  // Beside a link as fast as a real one, plans of networks this small swap little.
  trace.machine.host_link.in = trace.machine.host_link.out = {{0.2e9}, "assumed: for the test"};
  trace.machine.host_link.both.reset();
  const std::optional<Schedule> kept = schedule_at(trace, "in-memory", 1),
                                swapped = schedule_at(trace, "threshold", 0.45);
  ASSERT_TRUE(kept && swapped);
  EXPECT_FALSE(swapped->plan.swaps.empty());
  const std::vector<float> expected = losses_of(trace, *kept, kSteps, {}, Issue::enqueued);
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(kSteps));
  for (const float loss : expected) EXPECT_TRUE(std::isfinite(loss));
  EXPECT_EQ(losses_of(trace, *kept, kSteps, {}, Issue::graph), expected);
  EXPECT_EQ(losses_of(trace, *swapped, kSteps, {}, Issue::enqueued), expected);
  EXPECT_EQ(losses_of(trace, *swapped, kSteps, {}, Issue::graph), expected);
}

INSTANTIATE_TEST_SUITE_P(Networks, OnTheGpu,
                         testing::Values(kTinyMlp, kTinyUnet, in_layout(kTinyUnet, Layout::channels_first),
                                         kTinyResnet),
                         [](const auto& tested) { return test_name(tested.param); });

}  // namespace
}  // namespace spillway
