#include "cli/room.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compile/lower.h"
#include "core/error.h"
#include "tests/support/random_step.h"
#include "tuner/tune.h"

namespace spillway {
namespace {

using testing::HasSubstr;

TuneRequest request_for(const Trace& trace, Bytes capacity) {
  TuneRequest request;
  request.trace = &trace;
  request.platform = trace.machine;
  request.batch = trace.batches.front().batch;
  request.capacity = capacity;
  return request;
}

std::string refusal(Bytes there, const Trace& trace, const Schedule& schedule) {
  DeviceProperties device;
  device.device = "cuda:0";
  device.memory = there;
  try {
    require_room(device, trace, schedule);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine);
    return error.what();
  }
  return "";
}

TEST(Room, ThatIsMissingIsToldWithTheSmallestThatWouldDo) {
  const Trace trace = random_step(3);
  const Bytes all = footprint(trace, trace.batches.front().batch);
  const Schedule schedule = std::get<Tuned>(tune(request_for(trace, all))).schedule;
  const auto smallest = std::get<NothingFits>(tune(request_for(trace, {1}))).smallest_capacity;
  ASSERT_TRUE(smallest && *smallest < schedule.arena_bytes);

  EXPECT_EQ(refusal(schedule.arena_bytes, trace, schedule), "");
  EXPECT_THAT(refusal(*smallest, trace, schedule),
              testing::AllOf(HasSubstr("device cuda:0: the plan's arena takes " + to_text(schedule.arena_bytes)),
                             HasSubstr("--capacity " + std::to_string(smallest->value)),
                             HasSubstr("can do with " + to_text(*smallest))));
  EXPECT_THAT(refusal({64}, trace, schedule),
              HasSubstr("smallest capacity that policy threshold can do with at batch " +
                        std::to_string(schedule.plan.batch) + " is " + to_text(*smallest)));
}

}  // namespace
}  // namespace spillway
