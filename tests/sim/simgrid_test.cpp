// The SimGrid engine against closed forms, and against the replica engine.
#include "sim/simgrid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "core/error.h"
#include "sim/replica.h"
#include "sim/simulate.h"
#include "tests/sim/platforms.h"
#include "tests/sim/random_contention.h"

namespace spillway {
namespace {

using Spans = IdVector<InstructionId, Span>;

constexpr const char* kNotBuiltIn = "built without SimGrid (libsimgrid-dev)";

/// By rank.
std::vector<Spans> spans_by(Engine engine, const HandMade& made, const Platform& platform) {
  if (engine == Engine::simgrid) return run_simgrid(made.trace, made.schedule, platform);
  const Machine machine(platform);
  const std::vector<Spans> classes = run_replica(made.trace, made.schedule, machine);
  std::vector<Spans> ranks;
  for (std::int64_t rank = 0; rank < platform.ranks(); ++rank) ranks.push_back(classes[machine.class_of(rank)]);
  return ranks;
}

class BothEngines : public testing::TestWithParam<Engine> {
 protected:
  void SetUp() override {
    if (GetParam() == Engine::simgrid && !simgrid_version()) GTEST_SKIP() << kNotBuiltIn;
  }
  static HandMade hand_made() { return HandMade(10.0_GBps, 10.0_GBps); }
  static std::vector<Spans> spans(const HandMade& made, const Platform& platform) {
    return spans_by(GetParam(), made, platform);
  }
  static double step(const HandMade& made, const Platform& platform) {
    return simulate(made.trace, made.schedule, platform, GetParam()).step.value;
  }
  static std::string complaint(const HandMade& made, const Platform& platform) {
    try {
      static_cast<void>(spans(made, platform));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::input);
      return error.what();
    }
    return "none";
  }
};

/// Far above rounding, far below anything that is modelled.
constexpr double kRounding = 1e-13;

TEST_P(BothEngines, AnOpTakesItsTimeInAStep) {
  HandMade made = hand_made();
  made.compute(4.0_ms);
  made.compute(2.0_ms);
  made.trace.batches.front().kernels.front().cache_factor = 0.75;
  EXPECT_NEAR(step(made, made.trace.machine), 5e-3, kRounding);
}

TEST_P(BothEngines, ACopyTakesItsStartAndItsBytesOverTheRate) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.link().start = 0.01_ms;
  made.swap_out(4'000'000_B);
  EXPECT_NEAR(step(made, made.trace.machine), 1e-5 + 4e6 / 1e9, kRounding);
}

TEST_P(BothEngines, ACopyOfNoBytesTakesItsStart) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.link().start = 0.01_ms;
  made.compute(1.0_ms, {made.swap_in(0_B)});
  EXPECT_NEAR(step(made, made.trace.machine), 1.01e-3, kRounding);
}

TEST_P(BothEngines, AnOpTakesItsSecondsAndItsIssue) {
  HandMade made = hand_made();
  made.trace.issue = 0.002_ms;
  for (int i = 0; i < 100; ++i) made.compute(0.001_ms);
  EXPECT_NEAR(step(made, separate_gpus(1)), 3e-4, kRounding);
}

TEST_P(BothEngines, TwoGpusBehindOneSwitchShareItsUplink) {
  HandMade made = hand_made();
  const InstructionId in = made.swap_in(10'000'000_B);
  const auto ranks = spans(made, behind_switches(3));
  EXPECT_NEAR(ranks[0][in].end.value, 2e-3, kRounding);
  EXPECT_NEAR(ranks[1][in].end.value, 2e-3, kRounding);
  EXPECT_NEAR(ranks[2][in].end.value, 1e-3, kRounding);
}

TEST_P(BothEngines, BothWaysShareACapAndTheOneThatIsLeftGetsAll) {
  HandMade made(2.0_GBps, 0.5_GBps);
  made.link().both = Rate{2.0_GBps, "test"};
  const InstructionId in = made.swap_in(4'000'000_B), out = made.swap_out(1'000'000_B);
  // Out keeps 0.5 GB/s: 1 MB in 2 ms. In has 1.5 GB/s meanwhile: 3 MB; then 1 MB at 2 GB/s: 0.5 ms.
  const auto ranks = spans(made, made.trace.machine);
  EXPECT_NEAR(ranks[0][out].end.value, 2e-3, kRounding);
  EXPECT_NEAR(ranks[0][in].end.value, 2.5e-3, kRounding);
}

TEST_P(BothEngines, AResourceThatAFlowPassesTwiceCountsTwice) {
  // Without peer to peer a ring's bytes are written to host memory and read from it: 4 flows of weight 2 share 40 GB/s.
  HandMade made = hand_made();
  made.all_reduce(80'000'000_B);
  Platform platform = separate_gpus(4);
  platform.gpu_links = GpuLinks{};
  platform.sockets = Sockets{.count = 1, .memory = gigabytes(40), .link = {}};
  EXPECT_NEAR(step(made, platform), 1.5 * 80e6 / 5e9, kRounding);
}

TEST_P(BothEngines, AGpuPairBehindASwitchSharesItWithTrafficToTheNic) {
  // Ranks 0, 1 behind one uplink, 2, 3 behind another one; NICs behind the uplinks too. All rates 10 GB/s.
  Platform platform = behind_switches(2);
  platform.nodes = 2;
  platform.gpu_links->start = {};
  platform.network = Network{.nics = 1, .rate = gigabytes(10), .start = {}, .behind_uplink = true};
  HandMade made = hand_made();
  const InstructionId reduce = made.all_reduce(10'000'000_B), out = made.swap_out(10'000'000_B);
  // The ring is the fastest, 1.5 * 10 MB a rank. Rank 1 sends to rank 2 through the uplink, on which both swap-outs
  // lie: 3 flows at 10/3 GB/s, so the swap-outs end at 3 ms. Rank 0's flow to rank 1 stays below the switch and has the
  // rest of its link, 20/3 GB/s. At 3 ms rank 1 has 15 - 10 MB left, now at 10 GB/s: 0.5 ms.
  for (const Spans& rank : spans(made, platform)) {
    EXPECT_NEAR(rank[out].end.value, 3e-3, kRounding);
    EXPECT_NEAR(rank[reduce].end.value, 3.5e-3, kRounding);
  }
}

TEST_P(BothEngines, ARingOfNRanksMovesTwiceNMinusOneNths) {
  for (const std::int64_t n : {2, 3, 4, 8}) {
    HandMade made = hand_made();
    made.all_reduce(80'000'000_B);
    const double ranks = static_cast<double>(n);
    EXPECT_NEAR(step(made, at_crossbar(n)), 2 * (ranks - 1) * 1e-6 + 2 * (ranks - 1) / ranks * 80e6 / 100e9, kRounding);
  }
}

TEST_P(BothEngines, AHierarchyGoesStageByStage) {
  // Within a node 3/4 of the bytes each way at 100 GB/s; between two nodes each GPU's quarter, once out and once in.
  HandMade made = hand_made();
  made.all_reduce(80'000'000_B);
  const double in_node = 3e-6 + 0.75 * 80e6 / 100e9, across = 2 * 5e-6 + 2 * 0.5 * 20e6 / 5e9;
  EXPECT_NEAR(step(made, at_crossbar(4, 2)), 2 * in_node + across, kRounding);
}

TEST_P(BothEngines, EveryRankWaitsForTheLastOneToArrive) {
  HandMade made = hand_made();
  const InstructionId in = made.swap_in(10'000'000_B), reduce = made.all_reduce(4_B, {in});
  const auto ranks = spans(made, behind_switches(3));  // ranks 0 and 1 share an uplink
  EXPECT_NEAR(ranks[2][reduce].start.value, 1e-3, kRounding);
  EXPECT_NEAR(ranks[0][reduce].start.value, 2e-3, kRounding);
  EXPECT_NEAR(ranks[0][reduce].end.value, ranks[2][reduce].end.value, kRounding);
}

TEST_P(BothEngines, AnAllReduceRunsBesideComputeAndIsWaitedFor) {
  HandMade made = hand_made();
  const InstructionId first = made.compute(1.0_ms), reduce = made.all_reduce(80'000'000_B, {first});
  made.compute(0.5_ms);
  made.compute(0.25_ms, {reduce});
  EXPECT_NEAR(step(made, at_crossbar(2)), 1e-3 + (2e-6 + 80e6 / 100e9) + 0.25e-3, kRounding);
}

TEST_P(BothEngines, AMeasuredCurveIsTakenWhereThePlatformDoesNotKnow) {
  HandMade made = hand_made();
  made.all_reduce(3'000'000_B);
  made.trace.all_reduces = {{.ranks = 2, .points = {{2'000'000_B, 1.0_ms}, {4'000'000_B, 3.0_ms}}}};
  EXPECT_NEAR(step(made, separate_gpus(2)), 2e-3, kRounding);
  EXPECT_THAT(complaint(made, separate_gpus(3)),
              testing::HasSubstr("nothing says how fast 3 ranks of 'separate' add up gradients"));
}

TEST_P(BothEngines, ACircleIsRefused) {
  HandMade made = hand_made();
  const InstructionId op = made.compute(1.0_ms), copy = made.swap_in(64_B, {op});
  made.schedule.instructions[op].waits = {copy};
  EXPECT_EQ(complaint(made, separate_gpus(1)), "the schedule never gets past 'op0' at position 0: it waits for itself");
}

INSTANTIATE_TEST_SUITE_P(Engines, BothEngines, testing::Values(Engine::replica, Engine::simgrid),
                         [](const testing::TestParamInfo<Engine>& tested) {
                           return tested.param == Engine::replica ? "Replica" : "SimGrid";
                         });

TEST(SimGrid, KnowsNoInterference) {
  if (!simgrid_version()) GTEST_SKIP() << kNotBuiltIn;
  HandMade made(1.0_GBps, 1.0_GBps);
  made.trace.interference_rate = 1.0_GBps;
  const InstructionId op = made.compute(10.0_ms, {}, 15.0_ms);
  made.swap_in(20'000'000_B);
  EXPECT_NEAR(spans_by(Engine::simgrid, made, made.trace.machine)[0][op].end.value, 10e-3, kRounding);
  EXPECT_NEAR(spans_by(Engine::replica, made, made.trace.machine)[0][op].end.value, 15e-3, kRounding);
}

TEST(SimGrid, RefusesWhatItCannotRun) {
  if (!simgrid_version()) GTEST_SKIP() << kNotBuiltIn;
  const auto complaint = [](const HandMade& made) -> std::string {
    try {
      static_cast<void>(run_simgrid(made.trace, made.schedule, made.trace.machine));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::input);
      return error.what();
    }
    return "none";
  };
  HandMade update(1.0_GBps, 1.0_GBps), large(1.0_GBps, 1.0_GBps);
  update.schedule.instructions[update.swap_in(64_B)].kind = InstructionKind::host_update;
  EXPECT_EQ(complaint(update), "the simgrid engine can't run 'host update b0' yet");
  large.swap_in(129_GiB);
  EXPECT_EQ(complaint(large), "the simgrid engine can't move more than 128 GiB at once, as 'swap-in b0' does");
}

TEST(SimGrid, WhereItIsNotBuiltInSaysWhatToInstall) {
  if (simgrid_version()) GTEST_SKIP() << "built with SimGrid " << *simgrid_version();
  HandMade made(1.0_GBps, 1.0_GBps);
  try {
    static_cast<void>(simulate(made.trace, made.schedule, made.trace.machine, Engine::simgrid));
    ADD_FAILURE() << "there is no SimGrid";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine);
    EXPECT_THAT(error.what(), testing::HasSubstr("install libsimgrid-dev"));
  }
}

TEST(SimGrid, AndReplicaAgreeOnRandomMachinesAndSteps) {
  if (!simgrid_version()) GTEST_SKIP() << kNotBuiltIn;
  constexpr unsigned kCases = 1200;
  double worst = 0;
  std::size_t finishes = 0, several_ranks = 0;
  for (unsigned seed = 0; seed < kCases; ++seed) {
    std::mt19937_64 random(seed);
    const Platform platform = random_platform(random);
    const HandMade made = random_schedule(random, platform);
    const auto ours = spans_by(Engine::replica, made, platform), theirs = spans_by(Engine::simgrid, made, platform);
    double step = 0, difference = 0;
    for (std::size_t rank = 0; rank < ours.size(); ++rank) {
      for (const InstructionId id : made.schedule.instructions.ids()) {
        step = std::max(step, ours[rank][id].end.value);
        difference = std::max({difference, std::abs(ours[rank][id].end.value - theirs[rank][id].end.value),
                               std::abs(ours[rank][id].start.value - theirs[rank][id].start.value)});
        ++finishes;
      }
    }
    EXPECT_LT(difference / step, 1e-9) << "seed " << seed << ": " << platform.nodes << " nodes of "
                                       << platform.gpus_per_node << " GPUs";
    worst = std::max(worst, difference / step);
    several_ranks += platform.ranks() > 1 ? 1 : 0;
  }
  EXPECT_GT(several_ranks, kCases / 2);
  RecordProperty("worst_difference_over_makespan", std::to_string(worst * 1e15) + "e-15");
  std::printf("%u machines and steps, %zu finish times: worst difference over the makespan %.1e\n", kCases, finishes,
              worst);
}

}  // namespace
}  // namespace spillway
