#include "profiler/op_timer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "device/spec.h"
#include "device/wrappers/record.h"
#include "tests/support/add_in_place.h"

namespace spillway {
namespace {

using testing::ElementsAre;

std::vector<double> seconds_of(const std::vector<OpRunTime>& runs) {
  std::vector<double> seconds;
  for (const OpRunTime& run : runs) seconds.push_back(run.seconds);
  return seconds;
}

TEST(Credible, DisturbedRunsAreLeftOutHoweverFast) {
  EXPECT_THAT(seconds_of(credible({{.seconds = 3}, {.seconds = 1, .disturbed = true}, {.seconds = 2}})),
              ElementsAre(2, 3));
}

TEST(Credible, TheFastestStandInWhereFewerThanTwoAreUndisturbed) {
  const std::vector<OpRunTime> runs{{.seconds = 8, .disturbed = true},
                                    {.seconds = 6},
                                    {.seconds = 9, .disturbed = true},
                                    {.seconds = 7, .disturbed = true}};
  EXPECT_THAT(seconds_of(credible(runs)), ElementsAre(6, 7));
}

TEST(Credible, ASingleRunIsKept) {
  EXPECT_THAT(seconds_of(credible({{.seconds = 3, .disturbed = true}})), ElementsAre(3));
}

class TimedAdd : public testing::Test {
 protected:
  static constexpr std::int64_t kCount = 4096;

  OpTiming time(RepeatRule rule) {
    const OpDescription op = add_in_place(kCount);
    const KernelOption kernel = device_->kernels(op).front();
    const OperandPlaces places = place_operands(op, kernel.workspace, device_->properties().alignment);
    Workbench bench(*recorded_, places.end);
    first_operand_ = bench.operands();
    log_.clear();
    return OpTimer(bench, {1e9}, rule).time(op, recorded_->prepare(op, kernel.id), places);
  }
  [[nodiscard]] std::vector<RecordedCommand> of_kind(RecordedCommand::Kind kind) const {
    std::vector<RecordedCommand> found;
    for (const RecordedCommand& command : log_) {
      if (command.kind == kind) found.push_back(command);
    }
    return found;
  }

  std::unique_ptr<Device> device_ = make_device(parse_device("cpu:threads=1"));
  std::vector<RecordedCommand> log_;
  std::unique_ptr<Device> recorded_ = recorded(*device_, log_);
  Bytes first_operand_;
};

TEST_F(TimedAdd, EveryRunFindsItsOperandsCold) {
  static_cast<void>(time({.least = 3, .most = 3}));
  int flushes = 0, ops = 0;
  for (const RecordedCommand& command : log_) {
    if (command.kind == RecordedCommand::Kind::cache_flush) ++flushes;
    if (command.kind != RecordedCommand::Kind::op) continue;
    ++ops;
    EXPECT_EQ(flushes, ops) << "a run without a flush before it, or two";
  }
  EXPECT_EQ(ops, 7);  // one to get ready, three alone, three beside copies
}

TEST_F(TimedAdd, CopiesRunBothWaysBesideIt) {
  const OpTiming timing = time({.least = 3, .most = 3});
  EXPECT_THAT(of_kind(RecordedCommand::Kind::swap_out), testing::SizeIs(testing::Ge(3U)));
  EXPECT_GT(timing.while_copying.value, 0);
}

TEST_F(TimedAdd, OperandsAreRandomNumbersAroundOne) {
  // Read back after the last run, x holds x + n y with both in [0.5, 1.5) and n from 1 to 4 since the last refill; y is
  // as it was filled.
  static_cast<void>(time({.least = 5, .most = 5}));
  const auto* x = reinterpret_cast<const float*>(device_->arena_on_host() + first_operand_.value);
  const float* y = x + kCount;
  bool differ = false;
  for (std::int64_t i = 0; i < kCount; ++i) {
    EXPECT_GE(y[i], 0.5F);
    EXPECT_LT(y[i], 1.5F);
    EXPECT_GE(x[i], 1.0F);
    EXPECT_LT(x[i], 20.0F);
    differ |= y[i] != y[0];
  }
  EXPECT_TRUE(differ);
}

TEST_F(TimedAdd, RunsUntilTheyAddUpOrThereAreTheMost) {
  // A run takes some microseconds, so a second is never reached.
  static_cast<void>(time({.least = 2, .enough = {1}, .most = 6}));
  EXPECT_THAT(of_kind(RecordedCommand::Kind::op), testing::SizeIs(1 + 2 * 6));
}

}  // namespace
}  // namespace spillway
