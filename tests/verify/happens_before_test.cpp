#include "verify/happens_before.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

InstructionId add(Schedule& schedule, std::size_t stream, std::vector<InstructionId> waits) {
  Instruction instruction;
  instruction.stream = StreamId(stream);
  instruction.waits = std::move(waits);
  return schedule.instructions.push_back(std::move(instruction));
}

TEST(HappensBefore, AStreamOrdersItsInstructions) {
  Schedule schedule;
  schedule.streams.resize(1);
  const InstructionId a = add(schedule, 0, {}), b = add(schedule, 0, {}), c = add(schedule, 0, {});
  const HappensBefore happens_before(schedule);
  EXPECT_TRUE(happens_before(a, b));
  EXPECT_TRUE(happens_before(a, c));
  EXPECT_FALSE(happens_before(c, a));
  EXPECT_FALSE(happens_before(b, b));
}

TEST(HappensBefore, StreamsRunBesideEachOtherUntilOneWaits) {
  // stream 0:  a ----- c -> d      d waits for b: then a, b, c come before d, but nothing orders a and b, or b and c.
  // stream 1:  b -----------^
  Schedule schedule;
  schedule.streams.resize(2);
  const InstructionId a = add(schedule, 0, {}), b = add(schedule, 1, {}), c = add(schedule, 0, {}),
                      d = add(schedule, 0, {b});
  const HappensBefore happens_before(schedule);
  EXPECT_FALSE(happens_before(a, b));
  EXPECT_FALSE(happens_before(b, a));
  EXPECT_FALSE(happens_before(b, c));
  EXPECT_TRUE(happens_before(b, d));
  EXPECT_TRUE(happens_before(a, d));
}

TEST(HappensBefore, WaitsCarryOverStreams) {
  // a -> b -> c by waits, on three streams; before b, another one of b's stream: x.
  Schedule schedule;
  schedule.streams.resize(3);
  const InstructionId x = add(schedule, 1, {}), a = add(schedule, 0, {}), b = add(schedule, 1, {a}),
                      c = add(schedule, 2, {b});
  const HappensBefore happens_before(schedule);
  EXPECT_TRUE(happens_before(a, c));
  EXPECT_TRUE(happens_before(x, c));
  EXPECT_FALSE(happens_before(x, a));
}

}  // namespace
}  // namespace spillway
