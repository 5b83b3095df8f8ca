#include "compile/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "compile/lower.h"
#include "tests/support/chain_trace.h"

namespace spillway {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

// Positions: 0 l0.forward, 1 l1.forward, 2 l2.forward, 3 loss, 4 l2.backward, 5 l1.backward, 6 l0.backward.
// l0.out is written at 0 and read at 1 and 5.
Trace three_layers() {
  return chain_trace({.layers = {{.out = {640}}, {.out = {640}}, {.out = {640}}}});
}

Schedule lowered(const Trace& trace, SwapMode mode, std::size_t release, std::size_t begin) {
  Plan plan;
  plan.platform = trace.machine;
  plan.capacity = {std::numeric_limits<std::int64_t>::max()};
  plan.swaps = {{.gap = {.buffer = buffer_with_name(trace.graph, "l0.out"),
                         .after = Position(std::size_t{1}),
                         .before = Position(std::size_t{5})},
                 .release = Position(release),
                 .begin = Position(begin),
                 .mode = mode,
                 .remark = ""}};
  return std::get<Schedule>(lower(trace, plan));
}

InstructionId find(const Trace& trace, const Schedule& schedule, const std::string& name) {
  for (const InstructionId id : schedule.instructions.ids()) {
    if (name_of(trace.graph, schedule.instructions[id]) == name) return id;
  }
  ADD_FAILURE() << "no instruction '" << name << "'";
  return {};
}

std::vector<std::string> waits(const Trace& trace, const Schedule& schedule, const std::string& name) {
  std::vector<std::string> names;
  for (const InstructionId wait : schedule.instructions[find(trace, schedule, name)].waits) {
    names.push_back(name_of(trace.graph, schedule.instructions[wait]));
  }
  return names;
}

TEST(Guard, ASwapOutStartsWhenTheLastWriteIsComplete) {
  const Trace trace = three_layers();
  // It hangs on position 1, where l1.forward reads the buffer; it needn't wait for that reader, only for the writer.
  EXPECT_THAT(waits(trace, lowered(trace, SwapMode::prefetch, 1, 4), "swap-out l0.out"), ElementsAre("l0.forward"));
}

TEST(Guard, AReaderWaitsForItsSwapIn) {
  const Trace trace = three_layers();
  EXPECT_THAT(waits(trace, lowered(trace, SwapMode::prefetch, 1, 4), "l1.backward"), ElementsAre("swap-in l0.out"));
}

TEST(Guard, ATriggeredSwapInAlsoWaitsForTheComputeBeforeItsBegin) {
  const Trace trace = three_layers();
  EXPECT_THAT(waits(trace, lowered(trace, SwapMode::triggered, 1, 4), "swap-in l0.out"), Contains("loss"));
}

TEST(Guard, ABlockingSwapOutHoldsTheComputeBehindItsRelease) {
  const Trace trace = three_layers();
  EXPECT_THAT(waits(trace, lowered(trace, SwapMode::blocking, 1, 4), "l2.forward"), Contains("swap-out l0.out"));
  EXPECT_THAT(waits(trace, lowered(trace, SwapMode::prefetch, 1, 5), "l2.forward"), Not(Contains("swap-in l0.out")));
}

TEST(Guard, WaitsThatOthersImplyAreDropped) {
  const Trace trace = three_layers();
  const Schedule schedule = lowered(trace, SwapMode::prefetch, 1, 4);
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    for (const InstructionId wait : instruction.waits) {
      EXPECT_LT(wait, id);
      EXPECT_NE(schedule.instructions[wait].stream, instruction.stream) << "the stream's order says that already";
    }
  }
}

}  // namespace
}  // namespace spillway
