// Several ranks and what they share, against closed forms and against ranks that are run one by one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "sim/replica.h"
#include "sim/simulate.h"
#include "tests/sim/hand_made.h"
#include "tests/sim/platforms.h"

namespace spillway {
namespace {

HandMade hand_made() {
  return HandMade(10.0_GBps, 10.0_GBps);
}
double step_on(const HandMade& made, const Platform& platform) {
  return step_times(made.trace, made.schedule, platform).step.value;
}

TEST(ManyRanks, GpusBehindOneSwitchShareItsUplink) {
  HandMade made = hand_made();
  made.swap_in(10'000'000_B);
  EXPECT_DOUBLE_EQ(step_on(made, behind_switches(1)), 1e-3);
  EXPECT_DOUBLE_EQ(step_on(made, behind_switches(2)), 2e-3);
  EXPECT_DOUBLE_EQ(step_on(made, behind_switches(3)), 2e-3);  // the third has a switch of its own and is done in 1 ms
}

TEST(ManyRanks, HostMemoryIsSharedByAllCopiesOfItsSocket) {
  HandMade made = hand_made();
  made.swap_in(10'000'000_B);
  made.swap_out(10'000'000_B);
  Platform platform = separate_gpus(4);
  platform.sockets = Sockets{.count = 1, .memory = gigabytes(40), .link = {}};
  EXPECT_DOUBLE_EQ(step_on(made, platform), 2e-3);  // eight copies at 5 GB/s
}

TEST(ManyRanks, AnAllReduceAndACopyShareTheLinkTheyBothTake) {
  // Two GPUs under one switch reduce 10 MB: each sends 10 MB to the other over both host links, while each swaps out
  // 10 MB over its link out and the shared uplink. Out of a GPU two flows at 5 GB/s, the uplink's 10 are enough.
  HandMade made = hand_made();
  made.all_reduce(10'000'000_B);
  made.swap_out(10'000'000_B);
  EXPECT_NEAR(step_on(made, behind_switches(2)), 2e-3 + 1e-6, 1e-6);
}

TEST(ManyRanks, AnAllReduceRunsBesideComputeAndIsWaitedFor) {
  HandMade made = hand_made();
  const InstructionId first = made.compute(1.0_ms);
  const InstructionId reduce = made.all_reduce(80'000'000_B, {first});
  made.compute(0.5_ms);
  made.compute(0.25_ms, {reduce});
  const double ring = 2e-6 + 80e6 / 100e9;
  EXPECT_DOUBLE_EQ(step_on(made, at_crossbar(2)), 1e-3 + ring + 0.25e-3);
}

TEST(ManyRanks, EveryRankWaitsForTheLastOneToArrive) {
  // Ranks 0 and 1 share an uplink and need 2 ms for their swap-in, rank 2 needs 1 ms; then all reduce.
  HandMade made = hand_made();
  const InstructionId in = made.swap_in(10'000'000_B);
  made.all_reduce(4_B, {in});
  const Machine machine(behind_switches(3));
  const auto spans = run_replica(made.trace, made.schedule, machine);
  ASSERT_GE(machine.classes(), 2U);
  const InstructionId reduce(std::size_t{1});
  EXPECT_DOUBLE_EQ(spans[machine.class_of(2)][reduce].start.value, 1e-3);
  EXPECT_DOUBLE_EQ(spans[machine.class_of(0)][reduce].start.value, 2e-3);
  EXPECT_EQ(spans[machine.class_of(0)][reduce].end, spans[machine.class_of(2)][reduce].end);
}

TEST(ManyRanks, AMeasuredCurveIsTakenWhereThePlatformDoesNotKnow) {
  HandMade made = hand_made();
  made.all_reduce(3'000'000_B);
  made.trace.all_reduces = {{.ranks = 2, .points = {{2'000'000_B, 1.0_ms}, {4'000'000_B, 3.0_ms}}}};
  EXPECT_DOUBLE_EQ(step_on(made, separate_gpus(2)), 2e-3);
  try {
    static_cast<void>(step_on(made, separate_gpus(3)));
    ADD_FAILURE() << "nothing is known about three ranks";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("nothing says how fast 3 ranks of 'separate' add up gradients"));
  }
}

TEST(ManyRanks, EqualRanksAreOneClass) {
  EXPECT_EQ(Machine(at_crossbar(8)).classes(), 1U);
  // A ring over all nodes leaves a node at its last GPU and enters at its first.
  EXPECT_EQ(Machine(at_crossbar(8, 8)).classes(), 3U);
  EXPECT_EQ(Machine(separate_gpus(4)).classes(), 1U);
  // In a ring over two switches one GPU of each sends below its switch, the other across.
  EXPECT_EQ(Machine(behind_switches(4)).classes(), 2U);
}

class Folding : public testing::TestWithParam<Platform> {};

TEST_P(Folding, ChangesNoTime) {
  HandMade made = hand_made();
  InstructionId last;
  for (int i = 0; i < 6; ++i) {
    const InstructionId op = made.compute(Seconds{1e-4 * (1 + i % 3)}, {}, Seconds{1.5e-4 * (1 + i % 3)});
    const InstructionId out = made.swap_out(Bytes{1'000'000 * (1 + i)}, {op});
    last = made.all_reduce(Bytes{4'000'000 * (1 + (5 - i))}, {op});
    made.swap_in(Bytes{1'500'000 * (1 + i % 2)}, {out});
  }
  made.compute(1.0_ms, {last});
  const Machine folded(GetParam()), single(GetParam(), false);
  EXPECT_LT(folded.classes(), single.classes());
  const auto some = run_replica(made.trace, made.schedule, folded),
             all = run_replica(made.trace, made.schedule, single);
  for (std::int64_t rank = 0; rank < GetParam().ranks(); ++rank) {
    for (const InstructionId id : made.schedule.instructions.ids()) {
      const Span& expected = all[single.class_of(rank)][id];
      const Span& found = some[folded.class_of(rank)][id];
      EXPECT_NEAR(found.start.value, expected.start.value, 1e-12);
      EXPECT_NEAR(found.end.value, expected.end.value, 1e-12);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, Folding, testing::Values(behind_switches(4), at_crossbar(8), at_crossbar(4, 4)),
                         [](const testing::TestParamInfo<Platform>& tested) {
                           return tested.param.name + std::to_string(tested.param.ranks());
                         });

}  // namespace
}  // namespace spillway
