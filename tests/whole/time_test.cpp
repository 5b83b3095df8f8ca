// Nothing depends on time: the same Schedule with everything of one kind a hundred times slower gives the same bits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/wrappers/delay.h"
#include "tests/support/training.h"

namespace spillway {
namespace {

// Ops of these networks take tens of microseconds, and a copy runs at about 10 GB/s.
constexpr Delays::Fixed kSlowOps{.each = {2e-3}, .per_gigabyte = {}};
constexpr Delays::Fixed kSlowCopies{.each = {1e-3}, .per_gigabyte = {10.0}};

class Slowed : public testing::TestWithParam<const TinyModel*> {};

TEST_P(Slowed, CopiesGiveTheSameBits) {
  const Trace trace = profile_tiny(*GetParam());
  const std::optional<Schedule> schedule = smallest_schedule(trace, "threshold");
  ASSERT_TRUE(schedule.has_value());
  Delays delays;
  delays.of(StreamRole::swap_in) = delays.of(StreamRole::swap_out) = kSlowCopies;
  EXPECT_EQ(losses_of(trace, *schedule, 3, [&](Device& device) { return delayed(device, delays); }),
            losses_of(trace, *schedule, 3));
}

TEST_P(Slowed, OpsGiveTheSameBits) {
  const Trace trace = profile_tiny(*GetParam());
  const std::optional<Schedule> schedule = smallest_schedule(trace, "threshold");
  ASSERT_TRUE(schedule.has_value());
  Delays delays;
  delays.of(StreamRole::compute) = kSlowOps;
  EXPECT_EQ(losses_of(trace, *schedule, 3, [&](Device& device) { return delayed(device, delays); }),
            losses_of(trace, *schedule, 3));
}

INSTANTIATE_TEST_SUITE_P(Networks, Slowed, testing::Values(&kTinyMlp, &kTinyUnet, &kTinyResnet),
                         [](const auto& network) { return network.param->name; });

}  // namespace
}  // namespace spillway
