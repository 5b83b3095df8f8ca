#include "compile/order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/error.h"
#include "tests/support/chain_trace.h"

namespace spillway {
namespace {

using testing::ElementsAre;

// Two layers: positions 0 l0.forward, 1 l1.forward, 2 loss, 3 l1.backward, 4 l1.update, 5 l0.backward, 6 l0.update.
// l0.out is used at 0, 1 and 3 (as l1's input); w0 at 0, 5 and 6; its state m0 at 6 only.
Trace two_layers() {
  return chain_trace({.layers = {{.out = {640}, .weights = {128}}, {.out = {640}, .weights = {128}}}});
}

Plan plan_for(const Trace& trace) {
  Plan plan;
  plan.platform = trace.machine;
  plan.capacity = {std::numeric_limits<std::int64_t>::max()};
  return plan;
}

Position at(std::size_t position) {
  return Position(position);
}

Swap swap(const Trace& trace, const char* buffer, Position after, Position before, Position release, Position begin,
          bool wraps = false) {
  return {.gap = {.buffer = buffer_with_name(trace.graph, buffer), .after = after, .before = before, .wraps = wraps},
          .release = release,
          .begin = begin,
          .mode = SwapMode::prefetch,
          .remark = ""};
}

/// The copies of one buffer in order: "out@3 in@1".
std::string copies(const UnplacedSchedule& unplaced, const Trace& trace, const char* buffer) {
  std::string text;
  for (const Instruction& instruction : unplaced.schedule.instructions) {
    if (instruction.kind == InstructionKind::compute || instruction.buffer != buffer_with_name(trace.graph, buffer))
      continue;
    text += (text.empty() ? "" : " ") + std::string(instruction.kind == InstructionKind::swap_out ? "out@" : "in@") +
            std::to_string(instruction.position.value);
  }
  return text;
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> stays(const UnplacedSchedule& unplaced, const Trace& trace,
                                                           const char* buffer) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> all;
  for (const Residency& residency : unplaced.schedule.residencies) {
    if (residency.buffer == buffer_with_name(trace.graph, buffer))
      all.emplace_back(residency.first.value, residency.last.value);
  }
  return all;
}

StartState start(const UnplacedSchedule& unplaced, const Trace& trace, const char* buffer) {
  for (const StartState& state : unplaced.schedule.start) {
    if (state.buffer == buffer_with_name(trace.graph, buffer)) return state;
  }
  return {};
}

TEST(Order, WithoutDecisionsInputsComeInAtTheStartAndTheLossLeavesAfterItsLastUse) {
  const Trace trace = two_layers();
  const UnplacedSchedule unplaced = order(trace, plan_for(trace), {64});
  EXPECT_EQ(copies(unplaced, trace, "image"), "in@0");
  EXPECT_EQ(copies(unplaced, trace, "labels"), "in@0");
  EXPECT_EQ(copies(unplaced, trace, "loss"), "out@2");
  EXPECT_EQ(copies(unplaced, trace, "l0.out"), "");
  EXPECT_THAT(stays(unplaced, trace, "l0.out"), ElementsAre(std::pair(0U, 3U)));
  EXPECT_THAT(stays(unplaced, trace, "w0"), ElementsAre(std::pair(0U, 6U)));  // all of the step, over its end
}

TEST(Order, ASwapCutsTheLifeInTwo) {
  const Trace trace = two_layers();
  Plan plan = plan_for(trace);
  plan.swaps = {swap(trace, "image", at(0), at(5), at(1), at(4))};  // read by l0's forward and backward
  const UnplacedSchedule unplaced = order(trace, plan, {64});
  EXPECT_EQ(copies(unplaced, trace, "image"), "in@0 in@4");  // the host has it: leaving costs no copy
  EXPECT_THAT(stays(unplaced, trace, "image"), ElementsAre(std::pair(0U, 1U), std::pair(4U, 5U)));
}

TEST(Order, AWrittenBufferIsCopiedOutBeforeItLeaves) {
  const Trace trace = two_layers();
  Plan plan = plan_for(trace);
  plan.swaps = {swap(trace, "w0", at(0), at(5), at(1), at(4))};
  const UnplacedSchedule unplaced = order(trace, plan, {64});
  // Written by the update at 6, so stale on the host when the next step starts.
  EXPECT_EQ(copies(unplaced, trace, "w0"), "out@1 in@4");
  EXPECT_FALSE(start(unplaced, trace, "w0").host_valid);
  EXPECT_THAT(stays(unplaced, trace, "w0"), ElementsAre(std::pair(4U, 1U)));  // one arc around the step's end
}

TEST(Order, AGapAroundTheStepsEndMayEndBeforeItBehindItOrSpanIt) {
  const Trace trace = two_layers();  // m1 is used at 4 only; 7 positions
  const auto with = [&](std::size_t release, std::size_t begin) {
    Plan plan = plan_for(trace);
    plan.swaps = {swap(trace, "m1", at(4), at(4), at(release), at(begin), true)};
    return order(trace, plan, {64});
  };
  const UnplacedSchedule before = with(4, 6);
  EXPECT_EQ(copies(before, trace, "m1"), "out@4 in@6");
  EXPECT_THAT(stays(before, trace, "m1"), ElementsAre(std::pair(6U, 4U)));
  EXPECT_TRUE(start(before, trace, "m1").host_valid);  // this step's own copy came after its last write
  const UnplacedSchedule behind = with(1, 3);
  EXPECT_EQ(copies(behind, trace, "m1"), "out@1 in@3");
  EXPECT_THAT(stays(behind, trace, "m1"), ElementsAre(std::pair(3U, 1U)));
  EXPECT_FALSE(start(behind, trace, "m1").host_valid);
  const UnplacedSchedule across = with(5, 2);
  EXPECT_EQ(copies(across, trace, "m1"), "in@2 out@5");
  EXPECT_THAT(stays(across, trace, "m1"), ElementsAre(std::pair(2U, 5U)));
  EXPECT_FALSE(start(across, trace, "m1").residency.valid());
  EXPECT_TRUE(start(across, trace, "m1").host_valid);
}

TEST(Order, PeakLiveBytesAreTheLargestSumAtAPosition) {
  const Trace trace = two_layers();
  const UnplacedSchedule unplaced = order(trace, plan_for(trace), {64});
  // At l1.backward (3): w0 w1 m0 m1 (128 each), image 64, l0.out, l0.grad, l1.grad (640 each), w1.grad 128.
  EXPECT_EQ(unplaced.schedule.peak_live_bytes, Bytes(4 * 128 + 64 + 3 * 640 + 128));
}

struct IllegalPlan {
  const char* name;
  std::function<void(const Trace&, Plan&)> spoil;
  const char* line;
};

class IllegalPlans : public testing::TestWithParam<IllegalPlan> {};

TEST_P(IllegalPlans, AreRefusedInOneLine) {
  const Trace trace = two_layers();
  Plan plan = plan_for(trace);
  GetParam().spoil(trace, plan);
  try {
    static_cast<void>(order(trace, plan, {64}));
    FAIL() << "was taken";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), GetParam().line);
    EXPECT_EQ(error.code(), ExitCode::input);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Order, IllegalPlans,
    testing::Values(
        IllegalPlan{"NoSuchGap",
                    [](const Trace& trace, Plan& p) { p.swaps = {swap(trace, "image", at(1), at(5), at(2), at(4))}; },
                    "swap of 'image': it has no gap between these uses"},
        IllegalPlan{"BeginBeforeRelease",
                    [](const Trace& trace, Plan& p) { p.swaps = {swap(trace, "image", at(0), at(5), at(4), at(2))}; },
                    "swap of 'image': release and begin must lie in this order inside its gap"},
        IllegalPlan{
            "TwoDecisions",
            [](const Trace& trace, Plan& p) { p.swaps.assign(2, swap(trace, "image", at(0), at(5), at(1), at(4))); },
            "swap of 'image': there are two decisions for one gap"},
        IllegalPlan{
            "NoBegin",
            [](const Trace& trace, Plan& p) { p.swaps = {swap(trace, "image", at(0), at(5), at(1), Position{})}; },
            "swap of 'image': it needs 'release' if a use comes before the gap and 'begin' if one comes behind"},
        IllegalPlan{"UnknownBatch", [](const Trace&, Plan& p) { p.batch = 3; },
                    "batch 3 wasn't profiled; the trace of 'chain' has 1; profile it with --batch 3"},
        IllegalPlan{"RecomputedUpdate",
                    [](const Trace& trace, Plan& p) {
                      p.recomputes = {{.op = op_with_name(trace.graph, "l1.update"),
                                       .before = op_with_name(trace.graph, "l0.update"),
                                       .before_run = 0,
                                       .kept = {}}};
                    },
                    "recomputation of 'l1.update': this op may not be run again"},
        IllegalPlan{"RecomputedFromChangedWeights",
                    [](const Trace& trace, Plan& p) {
                      p.recomputes = {{.op = op_with_name(trace.graph, "l1.forward"),
                                       .before = op_with_name(trace.graph, "l0.update"),
                                       .before_run = 0,
                                       .kept = {}}};
                    },
                    "recomputation: run 2 of 'l1.forward' would read another value of 'w1' than the step without it"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace spillway
