#include "tuner/tflms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/tuner/requests.h"

// The four layers, by level (one op each). Outs and gradients have 1 MiB, the image 64 bytes, the labels 4.
//
//   level  op            reads            writes   of the outs' readers, at threshold 1
//   0      l0.forward    image            out 0
//   1      l1.forward    out 0            out 1    near (distance 1)
//   2      l2.forward    out 1            out 2    near
//   3      l3.forward    out 2            out 3    near
//   4      loss          out 3, labels    grad 3   near
//   5      l3.backward   grad 3, out 2    grad 2   far (3 from its producer)
//   6      l2.backward   grad 2, out 1    grad 1   far (5)
//   7      l1.backward   grad 1, out 0    grad 0   far (7)
//   8      l0.backward   grad 0, image    nothing that anybody reads

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Toy {
  explicit Toy(ChainDescription chain = four_layers(), Bytes capacity = 1_GiB)
      : trace(chain_trace(chain)), request(request_for(trace, "tflms", capacity)), problem(request), graph(problem) {}
  Trace trace;
  TuneRequest request;
  Problem problem;
  TflmsGraph graph;

  [[nodiscard]] const TflmsTensor& tensor(const std::string& buffer) const {
    const BufferId id = buffer_with_name(trace.graph, buffer);
    return *std::ranges::find(graph.tensors(), id, &TflmsTensor::buffer);
  }
  [[nodiscard]] OpId op(const std::string& name) const { return op_with_name(trace.graph, name); }
};

/// The capacity at which TFLMS has this budget, without parameters.
Bytes capacity_with(Bytes budget) {
  return {static_cast<std::int64_t>(std::ceil(static_cast<double>(budget.value) / 0.9))};
}

TEST(TflmsReplay, CountsReadersWithoutSwapping) {
  // Before the loss out 0 to 3 are there, then labels and grad 3 join: 5 MiB, and the image.
  const Toy toy;
  const TflmsReplay result = replay(toy.graph, std::nullopt, 5_MiB + 69_B);
  EXPECT_TRUE(result.passes);
  EXPECT_EQ(result.peak, 5_MiB + 68_B);
  EXPECT_EQ(result.peak_at, toy.op("loss"));
  // An allocation that would take all that is free fails.
  EXPECT_FALSE(replay(toy.graph, std::nullopt, 5_MiB + 68_B).passes);
}

TEST(TflmsReplay, BringsTensorsBackWhenTheirTriggerHasRun) {
  // At ahead 1 a trigger is two levels above the reader: out 2 comes back behind l3.forward, out 1 behind the loss, out
  // 0 behind l3.backward. At l3.backward there are out 2, grad 3, out 1, grad 2 and the image.
  const Toy toy;
  const TflmsReplay result = replay(toy.graph, TflmsKnobs{}, 4_MiB + 65_B);
  EXPECT_TRUE(result.passes);
  EXPECT_EQ(result.peak, 4_MiB + 64_B);
  EXPECT_EQ(result.peak_at, toy.op("l3.backward"));
  EXPECT_FALSE(replay(toy.graph, TflmsKnobs{}, 4_MiB + 64_B).passes);
}

TEST(TflmsReplay, BringsTensorsBackAtTheirReadersWhenSwapInsAreSynchronous) {
  // At l3.backward there are grad 3, out 2, grad 2 and the image.
  const Toy toy;
  for (const int sync_mode : {2, 3}) {
    const TflmsReplay result = replay(toy.graph, TflmsKnobs{.sync_mode = sync_mode}, 1_GiB);
    EXPECT_EQ(result.peak, 3_MiB + 64_B);
    EXPECT_EQ(result.peak_at, toy.op("l3.backward"));
  }
}

TEST(TflmsReplay, CountsAWriteInPlaceOnce) {
  // l1 writes into out 0. At l1.backward there are out 0, grad 1, grad 0 and the image.
  ChainDescription chain;
  chain.layers = {{.out = 1_MiB}, {.out = 1_MiB, .in_place = true}};
  const Toy toy(chain);
  const TflmsReplay result = replay(toy.graph, std::nullopt, 1_GiB);
  EXPECT_EQ(result.peak, 3_MiB + 64_B);
  EXPECT_EQ(result.peak_at, toy.op("l1.backward"));
}

TEST(TflmsGraph, FindsTriggersAtMostTenLevelsBackAndAboveTheProducer) {
  const Toy toy;
  const TflmsTensor& out = toy.tensor("l0.out");
  const OpId reader = toy.op("l1.backward");  // level 7
  EXPECT_EQ(toy.graph.trigger(out, reader, 1), toy.op("l3.backward"));
  EXPECT_EQ(toy.graph.trigger(out, reader, 2), toy.op("loss"));
  EXPECT_EQ(toy.graph.trigger(out, reader, 5), toy.op("l1.forward"));
  EXPECT_EQ(toy.graph.trigger(out, reader, 6), std::nullopt);  // that would be the producer's own level
  EXPECT_EQ(toy.graph.latest_other_input(out, reader), toy.op("l2.backward"));
}

TEST(SplitConsumers, GroupsFarOnesByChains) {
  // Out 1 of eight layers, with a skip to layer 5: level 1; read at levels 2, 5 and, backward, 11 and 14.
  ChainDescription chain;
  chain.layers.assign(8, {.out = 1_MiB});
  chain.layers[5].skip_from = 1;
  const Toy toy(chain);
  const TflmsTensor& out = toy.tensor("l1.out");
  const auto readers = [&](const TflmsKnobs& knobs) {
    std::vector<std::vector<OpId>> groups;
    for (const TflmsGroup& group : split_consumers(toy.graph, out, knobs).groups) groups.push_back(group.readers);
    return groups;
  };
  const OpId forward = toy.op("l5.forward"), first = toy.op("l5.backward"), second = toy.op("l2.backward");
  EXPECT_THAT(split_consumers(toy.graph, out, {}).near, ElementsAre(toy.op("l2.forward")));
  EXPECT_THAT(readers({.swapin_groupby = 2}),
              ElementsAre(ElementsAre(forward), ElementsAre(first), ElementsAre(second)));
  EXPECT_THAT(readers({.swapin_groupby = 3}), ElementsAre(ElementsAre(forward), ElementsAre(first, second)));
  // 9 levels from the first to the last, but each at most 6 from the one before.
  EXPECT_THAT(readers({.swapin_groupby = 6}), ElementsAre(ElementsAre(forward, first, second)));
  EXPECT_THAT(readers({.swapout_threshold = 4}), ElementsAre(ElementsAre(first), ElementsAre(second)));
  EXPECT_THAT(readers({.swapout_threshold = 13}), IsEmpty());
}

TEST(SplitConsumers, LeavesGradientsAndVariablesAlone) {
  ChainDescription chain = four_layers();
  chain.layers[1].weights = 1_MiB;
  const Toy toy(chain);
  for (const TflmsTensor& tensor : toy.graph.tensors()) {
    const Buffer& buffer = toy.trace.graph.buffers[tensor.buffer];
    EXPECT_FALSE(is_lasting(buffer.role)) << buffer.name;
    EXPECT_EQ(tensor.swappable, buffer.role == Role::activation) << buffer.name;
  }
}

TEST(TflmsChoice, TurnsItselfOffWhereTheReplayPassesWithoutSwapping) {
  const Toy toy;
  const TflmsChoice choice = tflms_choice(toy.problem, toy.graph, capacity_with(5_MiB + 69_B));
  EXPECT_FALSE(choice.gives_up);
  EXPECT_FALSE(choice.knobs);
}

TEST(TflmsChoice, TakesTheLargestThresholdThatPasses) {
  // Budget 4 MiB + 1 KiB. Threshold 1: peak 4 MiB + 64. At 5 and 6 out 1 and 2 stay, and at the loss there are out 1,
  // 2, 3, grad 3, image, labels: 4 MiB + 68. At 7 nothing leaves: 5 MiB + 68. So 6; at ahead 2 to 5 out 0 comes back
  // before l3.backward, which then has 5 MiB; so 1. One group each: all 9 levels pass.
  const Toy toy;
  const TflmsChoice choice = tflms_choice(toy.problem, toy.graph, capacity_with(4_MiB + 1_KiB));
  EXPECT_FALSE(choice.gives_up);
  EXPECT_EQ(choice.knobs, (TflmsKnobs{.swapout_threshold = 6, .swapin_ahead = 1, .swapin_groupby = 9, .sync_mode = 0}));
}

TEST(TflmsChoice, TurnsToSynchronousSwapInsWhenMemoryIsShort) {
  // Budget 3 MiB + 1 KiB. Modes 0 and 1 need 4 MiB + 64 at the least, mode 2 needs 3 MiB + 64 at threshold 1. At 3 out
  // 2 stays: at the loss out 2, 3 and grad 3, 3 MiB + 68. At 5 out 1 stays too: 4 MiB + 68. So 4.
  const Toy toy;
  const TflmsChoice choice = tflms_choice(toy.problem, toy.graph, capacity_with(3_MiB + 1_KiB));
  EXPECT_EQ(choice.knobs, (TflmsKnobs{.swapout_threshold = 4, .swapin_ahead = 1, .swapin_groupby = 9, .sync_mode = 2}));
}

TEST(TflmsChoice, SubtractsParametersFromTheMemoryAndNothingElse) {
  // 1 MiB of weights in a layer makes 1 MiB of gradient, which its update would free, but the replay skips updates: at
  // l0.backward it is still there. The optimizer state isn't counted.
  ChainDescription chain = four_layers();
  chain.layers[3].weights = 1_MiB;
  const Toy toy(chain);
  const Bytes peak = replay(toy.graph, std::nullopt, {}).peak;
  const Bytes enough = 1_MiB + capacity_with(peak + 1_B);
  EXPECT_FALSE(tflms_choice(toy.problem, toy.graph, enough).knobs);
  EXPECT_TRUE(tflms_choice(toy.problem, toy.graph, enough - 64_B).knobs);
}

TEST(Tflms, SaysWhatItsReplayWouldNeedWhenItGivesUp) {
  // No mode needs less than 3 MiB + 64, and an allocation mustn't take all: (3 MiB + 65) / 0.9 = 3,495,325.6 bytes.
  const Toy toy(four_layers(), capacity_with(3_MiB + 64_B) - 1_B);
  const auto outcome = tune(toy.request);
  ASSERT_FALSE(fits(outcome));
  const NothingFits& none = std::get<NothingFits>(outcome);
  EXPECT_EQ(none.shortfall.needed, 3495326_B);
  EXPECT_EQ(none.shortfall.capacity, toy.request.capacity);
  EXPECT_EQ(none.shortfall.at, "l3.backward");
}

TEST(Tflms, FindsNoPlanWhereItForgetsTheWorkspaces) {
  // Its replay passes without swapping above 5 MiB + 68 of budget; with the loss's neighbours' workspaces of 2 MiB the
  // step needs 7 MiB, more than the tenth that it leaves free.
  ChainDescription chain = four_layers();
  for (ChainLayer& layer : chain.layers) layer.workspace = 2_MiB;
  const Trace trace = chain_trace(chain);
  const TuneRequest request = request_for(trace, "tflms", capacity_with(5_MiB + 1_KiB));
  const auto outcome = tune(request);
  ASSERT_FALSE(fits(outcome));
  EXPECT_GT(std::get<NothingFits>(outcome).shortfall.peak_live, request.capacity);
  // With the same memory the policy that counts them finds one.
  EXPECT_TRUE(fits(tune(request_for(trace, "threshold", request.capacity))));
}

struct SyncMode {
  int mode;
  SwapMode ours;
  std::size_t begin;
};

class TflmsSyncMode : public testing::TestWithParam<SyncMode> {};

TEST_P(TflmsSyncMode, BecomesTriggersAndBlocks) {
  // Out 0 alone leaves at threshold 6: behind l1.forward (position 1), for its reader l1.backward (position 7); its
  // trigger at ahead 1 is l3.backward (position 5).
  const Toy toy;
  const std::vector<Swap> swaps =
      tflms_swaps(toy.problem, toy.graph, {.swapout_threshold = 6, .sync_mode = GetParam().mode});
  ASSERT_EQ(swaps.size(), 1U);
  EXPECT_EQ(swaps[0].gap.buffer, buffer_with_name(toy.trace.graph, "l0.out"));
  EXPECT_EQ(swaps[0].release, Position(std::size_t{1}));
  EXPECT_EQ(swaps[0].begin, Position(GetParam().begin));
  EXPECT_EQ(swaps[0].mode, GetParam().ours);
}

INSTANTIATE_TEST_SUITE_P(All, TflmsSyncMode,
                         testing::Values(SyncMode{0, SwapMode::triggered, 6},
                                         SyncMode{1, SwapMode::triggered_blocking, 6},
                                         SyncMode{2, SwapMode::triggered, 7},
                                         SyncMode{3, SwapMode::triggered_blocking, 7}),
                         [](const auto& row) { return "Mode" + std::to_string(row.param.mode); });

}  // namespace
}  // namespace spillway
