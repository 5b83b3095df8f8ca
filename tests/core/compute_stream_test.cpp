#include "core/compute_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/core/small_graph.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// position  op        reads       writes
// 0         forward   image, w    a
// 1         head      a, v        b
// 2         loss      b           loss
// 3         backward  a, b        dw
// 4         update_w  w, dw       w
// 5         update_v  v, dw       v
struct Toy : SmallGraph {
  TensorId image = tensor("image", Role::input), w = tensor("w", Role::parameter), v = tensor("v", Role::parameter),
           a = tensor("a"), b = tensor("b"), loss = tensor("loss", Role::loss), dw = tensor("dw", Role::gradient);
  OpId forward = op("forward", {image, w}, {a}), head = op("head", {a, v}, {b}), loss_op = op("loss", {b}, {loss}),
       backward = op("backward", {a, b}, {dw}), update_w = op("update_w", {w, dw}, {w}),
       update_v = op("update_v", {v, dw}, {v});
};

std::string complaint(const Graph& graph, const std::vector<Recompute>& recomputes) {
  try {
    static_cast<void>(compute_stream(graph, recomputes));
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(ComputeStream, WithoutRecomputationsIsTheIssueOrder) {
  const Toy toy;
  const auto stream = compute_stream(toy.graph, {});
  ASSERT_EQ(stream.size(), 6U);
  for (const Position position : stream.ids()) EXPECT_EQ(stream[position], (OpRun{OpId(position.index()), 0, {}}));
}

TEST(ComputeStream, RecomputationsAreInsertedInTheOrderListed) {
  const Toy toy;
  const BufferId a = toy.buffer(toy.a), b = toy.buffer(toy.b);
  // First head before backward, then forward before that second run of head.
  const auto stream = compute_stream(toy.graph, {{toy.head, toy.backward, 0, {b}}, {toy.forward, toy.head, 1, {a}}});
  ASSERT_EQ(stream.size(), 8U);
  EXPECT_EQ(stream[Position(3)], (OpRun{toy.forward, 1, {}}));
  EXPECT_EQ(stream[Position(4)], (OpRun{toy.head, 1, {}}));
  EXPECT_EQ(stream[Position(5)], (OpRun{toy.backward, 0, {}}));
}

TEST(ComputeStream, OutputsThatNobodyKeepsAreScratch) {
  const Toy toy;
  const auto stream = compute_stream(toy.graph, {{toy.forward, toy.backward, 0, {}}});
  EXPECT_EQ(stream[Position(3)], (OpRun{toy.forward, 1, {toy.buffer(toy.a)}}));
}

TEST(ComputeStream, ARunThatIsNotThereIsRefused) {
  const Toy toy;
  EXPECT_EQ(complaint(toy.graph, {{toy.forward, toy.backward, 1, {toy.buffer(toy.a)}}}),
            "recomputation of 'forward': there is no run 2 of 'backward' to run it before");
}

TEST(ComputeStream, KeepingWhatAnOpDoesNotWriteIsRefused) {
  const Toy toy;
  EXPECT_EQ(complaint(toy.graph, {{toy.forward, toy.backward, 0, {toy.buffer(toy.b)}}}),
            "recomputation of 'forward': it doesn't write 'b'");
}

Use read(std::size_t position) {
  return {Position(position), true, false};
}
Use write(std::size_t position) {
  return {Position(position), false, true};
}

TEST(Uses, AreReadsAndWritesInOrder) {
  const Toy toy;
  const auto all = uses(toy.graph, compute_stream(toy.graph, {}), 1);
  EXPECT_THAT(all[toy.buffer(toy.a)], ElementsAre(write(0), read(1), read(3)));
  EXPECT_THAT(all[toy.buffer(toy.w)], ElementsAre(read(0), Use{Position(4), true, true}));
  EXPECT_FALSE(all[toy.buffer(toy.w)].back().fresh());
  EXPECT_TRUE(all[toy.buffer(toy.a)].front().fresh());
}

TEST(Uses, ScratchIsNone) {
  const Toy toy;
  const auto all = uses(toy.graph, compute_stream(toy.graph, {{toy.forward, toy.backward, 0, {}}}), 1);
  EXPECT_THAT(all[toy.buffer(toy.a)], ElementsAre(write(0), read(1), read(4)));
  EXPECT_THAT(all[toy.buffer(toy.w)], ElementsAre(read(0), read(3), Use{Position(5), true, true}));
}

TEST(Gaps, AreTheStaysBetweenUses) {
  const Toy toy;
  const auto stream = compute_stream(toy.graph, {});
  const Position none;
  EXPECT_THAT(gaps(toy.graph, uses(toy.graph, stream, 1), stream.size()),
              ElementsAre(Gap{toy.buffer(toy.image), none, Position(0)},           // begins in the host pool
                          Gap{toy.buffer(toy.w), Position(0), Position(4)},        //
                          Gap{toy.buffer(toy.w), Position(4), Position(0), true},  // gone at 5
                          Gap{toy.buffer(toy.v), Position(1), Position(5)},        //
                          Gap{toy.buffer(toy.v), Position(5), Position(1), true},  // gone at 0
                          Gap{toy.buffer(toy.a), Position(1), Position(3)},        // b and dw never rest
                          Gap{toy.buffer(toy.loss), Position(2), none}));          // ends in the host pool
}

TEST(Gaps, BeforeAFreshWriteThereIsNone) {
  SmallGraph g;
  const TensorId w = g.tensor("w", Role::parameter), t = g.tensor("t"), u = g.tensor("u"), x = g.tensor("x");
  g.op("first", {w}, {t});
  g.op("reader", {t}, {u});
  g.op("other", {u}, {x});
  g.op("again", {x}, {t});  // the old t is dead from position 2 on
  g.op("last", {t, w}, {w});
  const auto stream = compute_stream(g.graph, {});
  // w is used at the last and at the first position: around the end there is nowhere to be gone.
  EXPECT_THAT(gaps(g.graph, uses(g.graph, stream, 1), stream.size()),
              ElementsAre(Gap{g.buffer(w), Position(0), Position(4)}));
}

}  // namespace
}  // namespace spillway
