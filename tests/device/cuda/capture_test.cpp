// A captured step orders exactly what its schedule orders. capture_every_schedule.cpp asks the same of every schedule
// that any test makes; here stands that it can fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "compile/lower.h"
#include "tests/device/cuda/captured_order.h"
#include "tests/device/cuda/fake_cuda.h"
#include "tests/support/random_step.h"

namespace spillway {
namespace {

TEST(Capture, OrdersExactlyWhatTheScheduleOrders) {
  FakeCuda::reset();
  std::size_t swaps = 0;
  for (unsigned seed = 0; seed < 120; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Trace trace = random_step(seed);
    const Schedule schedule = std::get<Schedule>(lower(trace, random_plan(trace, seed)));
    swaps += schedule.plan.swaps.size();
    EXPECT_EQ(captured_difference(trace, schedule, schedule), "");
  }
  EXPECT_GT(swaps, 600U);
  EXPECT_THAT(FakeCuda::leaks(), testing::IsEmpty());
}

TEST(Capture, AMissingWaitAndOneTooManyAreSeen) {
  FakeCuda::reset();
  std::size_t seen = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Trace trace = random_step(seed);
    const Schedule schedule = std::get<Schedule>(lower(trace, random_plan(trace, seed)));
    Schedule fewer = schedule;
    for (const InstructionId id : fewer.instructions.ids()) {
      // `lower` lets nothing wait that is in order already, so that each wait counts.
      if (std::exchange(fewer.instructions[id].waits, {}).empty()) continue;
      EXPECT_NE(captured_difference(trace, fewer, schedule), "") << "seed " << seed << ", instruction " << id.index();
      EXPECT_NE(captured_difference(trace, schedule, fewer), "") << "seed " << seed << ", instruction " << id.index();
      ++seen;
      fewer = schedule;
    }
  }
  EXPECT_GT(seen, 100U);
}

}  // namespace
}  // namespace spillway
