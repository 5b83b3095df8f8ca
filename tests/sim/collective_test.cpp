#include "sim/collective.h"

#include <gtest/gtest.h>

#include "sim/machine.h"
#include "tests/sim/platforms.h"

namespace spillway {
namespace {

constexpr Bytes kSize{80'000'000};

double seconds_by(const Machine& machine, const std::string& name, Bytes size) {
  for (std::size_t i = 0; i < machine.collectives().size(); ++i) {
    const Collective& collective = machine.collectives()[i];
    if (collective.name != name) continue;
    double seconds = 0;
    for (std::size_t s = 0; s < collective.stages.size(); ++s) {
      std::vector<std::uint32_t> flows;
      for (std::size_t c = 0; c < machine.classes(); ++c) flows.push_back(machine.stage_flow(i, s, c));
      const CollectiveStage& stage = collective.stages[s];
      seconds += stage.start.value +
                 static_cast<double>(size.value) * stage.bytes_per_byte / machine.rates(flows)[flows.front()];
    }
    return seconds;
  }
  return -1;
}

TEST(Collective, ARingMovesTwiceNMinusOneNths) {
  for (const std::int64_t n : {2, 3, 4, 8}) {
    const double ranks = static_cast<double>(n);
    EXPECT_DOUBLE_EQ(seconds_by(Machine(at_crossbar(n)), "ring", kSize),
                     2 * (ranks - 1) * 1e-6 + 2 * (ranks - 1) / ranks * 80e6 / 100e9);
  }
}

TEST(Collective, HierarchyCrossesTheNetworkWithItsShareOnly) {
  // Within a node 3/4 of the bytes each way at 100 GB/s; between two nodes each GPU's quarter, once out and once in.
  const Machine machine(at_crossbar(4, 2));
  const double in_node = 3e-6 + 0.75 * 80e6 / 100e9;
  const double across = 2 * 5e-6 + 2 * 0.5 * 20e6 / 5e9;
  EXPECT_NEAR(seconds_by(machine, "hierarchical 4x2", kSize), 2 * in_node + across, 1e-15);
  EXPECT_EQ(machine.collectives()[machine.fastest_all_reduce(kSize).collective].name, "hierarchical 4x2");
}

TEST(Collective, SmallSizesTakeTheWayWithTheFewestSteps) {
  const Machine machine(at_crossbar(8));
  EXPECT_EQ(machine.collectives()[machine.fastest_all_reduce({4}).collective].name, "tree");
  EXPECT_EQ(machine.collectives()[machine.fastest_all_reduce({1 << 30}).collective].name, "ring");
}

TEST(Collective, OneRankHasNone) {
  EXPECT_TRUE(Machine(separate_gpus(1)).collectives().empty());
}

TEST(Collective, PeersUnderOneSwitchStayBelowIt) {
  // A ring over two switches crosses each uplink once each way: nothing is shared, and 10 GB/s remain.
  EXPECT_NEAR(seconds_by(Machine(behind_switches(4)), "ring", kSize), 6e-6 + 1.5 * 80e6 / 10e9, 1e-15);
}

TEST(Collective, WithoutPeerToPeerEverythingGoesThroughHostMemory) {
  // Each rank's bytes are written to the one socket's memory and read from it: 2 * 4 flows share 40 GB/s.
  Platform platform = separate_gpus(4);
  platform.gpu_links = GpuLinks{};
  platform.sockets = Sockets{.count = 1, .memory = gigabytes(40), .link = {}};
  EXPECT_NEAR(seconds_by(Machine(platform), "ring", kSize), 1.5 * 80e6 / 5e9, 1e-15);
}

struct RingCase {
  std::string name;
  std::int64_t gpus = 0, expected = 0;
  std::vector<Bricks> bricks;
};

class BrickRings : public testing::TestWithParam<RingCase> {};

TEST_P(BrickRings, AreTheMostThatDontShareABrick) {
  const GpuLinks links{.kind = GpuLinks::Kind::bricks, .rate = gigabytes(25), .bricks = GetParam().bricks, .start = {}};
  EXPECT_EQ(brick_rings(links, GetParam().gpus), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Bricks, BrickRings,
    testing::Values(
        RingCase{.name = "EveryBrickOfAPairIsARing", .gpus = 2, .expected = 3, .bricks = {{0, 1, 3}}},
        RingCase{.name = "ATriangleIsOne", .gpus = 3, .expected = 1, .bricks = {{0, 1, 1}, {1, 2, 1}, {0, 2, 1}}},
        RingCase{
            .name = "TwoPairsWithoutALinkBetweenHaveNone", .gpus = 4, .expected = 0, .bricks = {{0, 1, 3}, {2, 3, 3}}},
        // Two rings by 0-1-2-3, none is left for 0-2-1-3, which would need both diagonals and the sides 0-3, 1-2.
        RingCase{.name = "ASquareOfDoubleBricksHasTwo",
                 .gpus = 4,
                 .expected = 2,
                 .bricks = {{0, 1, 2}, {1, 2, 2}, {2, 3, 2}, {0, 3, 2}}},
        RingCase{.name = "FiveFullyLinkedHaveTwo",
                 .gpus = 5,
                 .expected = 2,
                 .bricks = {{0, 1, 1},
                            {0, 2, 1},
                            {0, 3, 1},
                            {0, 4, 1},
                            {1, 2, 1},
                            {1, 3, 1},
                            {1, 4, 1},
                            {2, 3, 1},
                            {2, 4, 1},
                            {3, 4, 1}}}),
    [](const testing::TestParamInfo<RingCase>& tested) { return tested.param.name; });

}  // namespace
}  // namespace spillway
