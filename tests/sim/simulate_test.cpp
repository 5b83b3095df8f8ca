#include "sim/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "sim/replica.h"
#include "tests/sim/hand_made.h"

namespace spillway {
namespace {

using Spans = IdVector<InstructionId, Span>;

Spans spans_of(const HandMade& made) {
  return run_replica(made.trace, made.schedule, Machine(made.trace.machine)).front();
}
double step_of(const HandMade& made) {
  return simulate(made.trace, made.schedule, made.trace.machine).step.value;
}

TEST(Simulate, ACopyTakesItsStartAndItsBytesOverTheRate) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.link().start = 0.01_ms;
  made.swap_out(4'000'000_B);
  EXPECT_DOUBLE_EQ(step_of(made), 1e-5 + 4e6 / 1e9);
}

TEST(Simulate, DirectionsHaveTheirOwnRates) {
  HandMade made(2.0_GBps, 0.5_GBps);
  const InstructionId in = made.swap_in(1'000'000_B), out = made.swap_out(1'000'000_B);
  const Spans spans = spans_of(made);
  EXPECT_DOUBLE_EQ(spans[in].end.value, 1e6 / 2e9);
  EXPECT_DOUBLE_EQ(spans[out].end.value, 1e6 / 0.5e9);
}

TEST(Simulate, CopiesOfOneStreamRunOneAfterTheOther) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.link().start = 1.0_ms;
  const InstructionId first = made.swap_in(2'000'000_B), second = made.swap_in(3'000'000_B);
  const Spans spans = spans_of(made);
  EXPECT_DOUBLE_EQ(spans[first].end.value, 0.003);     // 1 ms + 2 MB / 1 GB/s
  EXPECT_DOUBLE_EQ(spans[second].start.value, 0.003);  // each pays the start
  EXPECT_DOUBLE_EQ(spans[second].end.value, 0.007);
}

TEST(Simulate, BothWaysShareACap) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.link().both = Rate{1.0_GBps, "test"};
  made.swap_in(4'000'000_B);
  made.swap_out(4'000'000_B);
  EXPECT_DOUBLE_EQ(step_of(made), 0.008);  // 8 MB through 1 GB/s
}

TEST(Simulate, TheOneThatIsLeftGetsTheWholeLink) {
  HandMade made(2.0_GBps, 0.5_GBps);
  made.link().both = Rate{2.0_GBps, "test"};
  const InstructionId in = made.swap_in(4'000'000_B), out = made.swap_out(1'000'000_B);
  // Out keeps 0.5 GB/s: 1 MB in 2 ms. In has 1.5 GB/s meanwhile: 3 MB; then 1 MB at 2 GB/s: 0.5 ms.
  const Spans spans = spans_of(made);
  EXPECT_DOUBLE_EQ(spans[out].end.value, 0.002);
  EXPECT_DOUBLE_EQ(spans[in].end.value, 0.0025);
}

TEST(Simulate, ACopyThatIsStartingTakesNothingFromTheOther) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.link().both = Rate{1.0_GBps, "test"};
  made.link().start = 1.0_ms;
  const InstructionId in = made.swap_in(2'000'000_B);
  const InstructionId delay = made.compute(1.0_ms);
  const InstructionId out = made.swap_out(2'000'000_B, {delay});
  // In: 1 ms start, 1 ms alone (1 MB) while out starts, then half the rate: 1 MB in 2 ms, ends at 4 ms. Out has moved
  // 1 MB by then, and the rest alone: ends at 5 ms.
  const Spans spans = spans_of(made);
  EXPECT_DOUBLE_EQ(spans[in].end.value, 0.004);
  EXPECT_DOUBLE_EQ(spans[out].end.value, 0.005);
}

TEST(Simulate, AnOpIsSlowedWhileACopyRunsAndOnlyThen) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.trace.interference_rate = 2.0_GBps;
  made.compute(10.0_ms, {}, 15.0_ms);  // at 2 GB/s half as long again, so at 1 GB/s a quarter
  made.swap_in(4'000'000_B);
  // 4 ms of copying: 4 / 1.25 = 3.2 ms of work done; the other 6.8 ms at full speed.
  EXPECT_DOUBLE_EQ(step_of(made), 0.0108);
}

TEST(Simulate, BothDirectionsAddUpToTheInterference) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.trace.interference_rate = 2.0_GBps;
  made.compute(10.0_ms, {}, 15.0_ms);
  made.swap_in(3'000'000_B);
  made.swap_out(3'000'000_B);
  EXPECT_DOUBLE_EQ(step_of(made), 0.011);  // 3 ms at 1 / 1.5: 2 ms of work; then 8 ms
}

TEST(Simulate, InterferenceIsNeverMoreThanMeasured) {
  HandMade made(4.0_GBps, 4.0_GBps);
  made.trace.interference_rate = 2.0_GBps;
  made.compute(10.0_ms, {}, 15.0_ms);
  made.swap_in(12'000'000_B);
  EXPECT_DOUBLE_EQ(step_of(made), 0.011);  // 3 ms of copying, as slow as at 2 GB/s
}

TEST(Simulate, AnOpThatWasFasterBesideCopiesIsNotSpedUp) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.compute(10.0_ms, {}, 9.0_ms);
  made.swap_in(4'000'000_B);
  EXPECT_DOUBLE_EQ(step_of(made), 0.010);
}

TEST(Simulate, StreamsWaitForEachOther) {
  HandMade made(1.0_GBps, 1.0_GBps);
  const InstructionId in = made.swap_in(1'000'000_B);           // 0 .. 1 ms
  const InstructionId use = made.compute(2.0_ms, {in});         // 1 .. 3 ms
  const InstructionId out = made.swap_out(4'000'000_B, {use});  // 3 .. 7 ms
  const InstructionId beside = made.compute(1.0_ms);            // 3 .. 4 ms
  const InstructionId late = made.compute(1.0_ms, {out});       // 7 .. 8 ms
  const Timeline timeline = simulate(made.trace, made.schedule, made.trace.machine);
  EXPECT_DOUBLE_EQ(timeline.events[use.index()].start.value, 0.001);
  EXPECT_DOUBLE_EQ(timeline.events[beside.index()].start.value, 0.003);
  EXPECT_DOUBLE_EQ(timeline.events[late.index()].start.value, 0.007);
  EXPECT_DOUBLE_EQ(timeline.step.value, 0.008);
  EXPECT_DOUBLE_EQ(timeline.stall.value, 0.004);  // 8 ms less 2 + 1 + 1 ms of compute
  EXPECT_EQ(timeline.events[out.index()].bytes, 4'000'000_B);
  EXPECT_EQ(timeline.title, "hand-made, batch 1,  on test");
}

TEST(Simulate, IssuingCostsTimeOnTheComputeStreamOnly) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.trace.issue = 0.5_ms;
  made.compute(1.0_ms);
  made.compute(2.0_ms);
  const InstructionId copy = made.swap_in(1'000'000_B);
  const StepTimes times = step_times(made.trace, made.schedule, made.trace.machine);
  EXPECT_DOUBLE_EQ(times.step.value, 0.004);
  EXPECT_DOUBLE_EQ(times.compute.value, 0.004);
  EXPECT_DOUBLE_EQ(times.stall.value, 0);
  EXPECT_DOUBLE_EQ(spans_of(made)[copy].end.value, 0.001);
}

TEST(Simulate, TheStepEndsWithTheLastCopy) {
  HandMade made(1.0_GBps, 1.0_GBps);
  const InstructionId op = made.compute(1.0_ms);
  made.swap_out(5'000'000_B, {op});
  const StepTimes times = step_times(made.trace, made.schedule, made.trace.machine);
  EXPECT_DOUBLE_EQ(times.step.value, 0.006);
  EXPECT_DOUBLE_EQ(times.stall.value, 0.005);
}

std::string complaint_of(const HandMade& made) {
  try {
    static_cast<void>(step_of(made));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input);
    return error.what();
  }
  return "none";
}

TEST(Simulate, AWaitForWhatComesLaterInTheSameStreamIsRefused) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.compute(1.0_ms);
  const InstructionId second = made.compute(1.0_ms);
  made.schedule.instructions[second].waits = {made.compute(1.0_ms)};
  EXPECT_EQ(complaint_of(made), "the schedule never gets past 'op1' at position 1: it waits for itself");
}

TEST(Simulate, ACircleOverTwoStreamsIsRefused) {
  HandMade made(1.0_GBps, 1.0_GBps);
  const InstructionId op = made.compute(1.0_ms);
  const InstructionId copy = made.swap_in(64_B, {op});
  made.schedule.instructions[op].waits = {copy};
  EXPECT_EQ(complaint_of(made), "the schedule never gets past 'op0' at position 0: it waits for itself");
}

TEST(Simulate, WhatTheEngineCannotRunIsRefused) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.schedule.instructions[made.swap_in(64_B)].kind = InstructionKind::host_update;
  EXPECT_EQ(complaint_of(made), "the replica engine can't run 'host update b0' yet");
}

TEST(Simulate, ABatchThatWasNotProfiledIsRefused) {
  HandMade made(1.0_GBps, 1.0_GBps);
  made.compute(1.0_ms);
  made.schedule.plan.batch = 3;
  EXPECT_EQ(complaint_of(made), "batch 3 wasn't profiled; the trace of 'hand-made' has 1; profile it with --batch 3");
}

}  // namespace
}  // namespace spillway
