#include "core/make_timeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/small_graph.h"

namespace spillway {
namespace {

// Two ops with a swap-out between them, a step of 6 s:
//
//   seconds    0    1    2    3    4    5    6
//   compute         [first]            [second]
//   swap-out             [y......]
//   x (100 B)       ....................          read by first and second
//   w (50 B)   ..............................     stays
//   y (20 B)   ..........          ..........     around the step's end: gone between its copy and second
struct TwoOps {
  SmallGraph g;
  Schedule schedule;
  IdVector<InstructionId, Span> spans;

  TwoOps() {
    const TensorId x = g.tensor("x", Role::activation, 25), w = g.tensor("w", Role::parameter, 12),
                   y = g.tensor("y", Role::parameter, 5);
    const OpId first = g.op("first", {w, y}, {x}), second = g.op("second", {x, w}, {y});
    for (const StreamRole role : {StreamRole::compute, StreamRole::swap_out}) {
      schedule.streams.push_back({.role = role, .gpu = 0});
    }
    const auto stay = [&](TensorId of, Bytes size, std::size_t from, std::size_t to, bool wraps) {
      return schedule.residencies.push_back({g.buffer(of), {}, size, Position(from), Position(to), wraps});
    };
    const ResidencyId of_x = stay(x, 100_B, 0, 1, false), of_w = stay(w, 50_B, 0, 1, true),
                      of_y = stay(y, 20_B, 1, 0, true);
    Instruction instruction;
    instruction.stream = StreamId(0);
    instruction.position = Position(0);
    instruction.op = first;
    instruction.inputs = {of_w, of_y};
    instruction.outputs = {of_x};
    schedule.instructions.push_back(instruction);
    instruction.position = Position(1);
    instruction.op = second;
    instruction.run = 1;
    instruction.inputs = {of_x, of_w};
    instruction.outputs = {of_y};
    Instruction copy;
    copy.kind = InstructionKind::swap_out;
    copy.stream = StreamId(1);
    copy.position = Position(0);
    copy.buffer = g.buffer(y);
    copy.residency = of_y;
    schedule.instructions.push_back(copy);
    schedule.instructions.push_back(instruction);
    spans.push_back({{1}, {2}});
    spans.push_back({{2}, {3}});
    spans.push_back({{4}, {5}});
  }
};

TEST(MakeTimeline, NamesEventsAndSumsTheStall) {
  const TwoOps two;
  const Timeline timeline =
      make_timeline(two.g.graph, two.schedule, two.spans, {6}, Timeline::Origin::measured, "title");
  EXPECT_EQ(timeline.step.value, 6);
  EXPECT_EQ(timeline.stall.value, 4);  // 6 s less the two ops of 1 s
  ASSERT_EQ(timeline.events.size(), 3U);
  EXPECT_EQ(timeline.events[0], (TimelineEvent{InstructionId(0), StreamId(0), "first", "opaque", {1}, {2}, {}}));
  EXPECT_EQ(timeline.events[1],
            (TimelineEvent{InstructionId(1), StreamId(1), "swap-out y", "swap_out", {2}, {3}, 20_B}));
  EXPECT_EQ(timeline.events[2], (TimelineEvent{InstructionId(2), StreamId(0), "second#2", "opaque", {4}, {5}, {}}));
}

TEST(MakeTimeline, ResidentBytesFollowTheFirstAndLastUsers) {
  const TwoOps two;
  const Timeline timeline =
      make_timeline(two.g.graph, two.schedule, two.spans, {6}, Timeline::Origin::measured, "title");
  using P = ResidentBytes;
  EXPECT_THAT(timeline.resident, testing::ElementsAre(P{{0}, 70_B},    // w and y
                                                      P{{1}, 170_B},   // and x
                                                      P{{3}, 150_B},   // y's copy has completed
                                                      P{{4}, 170_B},   // second writes y
                                                      P{{5}, 70_B}));  // x is done with
}

}  // namespace
}  // namespace spillway
