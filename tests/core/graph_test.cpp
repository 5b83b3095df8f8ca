#include "core/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/core/small_graph.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Graph, SizesAreFixedAndPerSample) {
  EXPECT_EQ(
      bytes(
          Buffer{.name = "b", .role = Role::gradient, .bytes_fixed = 10_B, .bytes_per_sample = 3_B, .initializer = {}},
          4),
      22_B);
  const Tensor tensor{
      .name = "t", .buffer = {}, .offset = {}, .type = ElementType::int64, .batched = true, .extents = {3, 5}};
  EXPECT_EQ(elements(tensor, 2), 30);
  EXPECT_EQ(bytes(tensor, 2), 240_B);
}

TEST(Graph, AnOutputThatCoversAllOfItsBufferDoesNotReadIt) {
  SmallGraph g;
  const TensorId x = g.tensor("x"), y = g.tensor("y");
  const OpId op = g.op("op", {x}, {y});
  EXPECT_TRUE(reads(g.graph, op, g.buffer(x), 1));
  EXPECT_FALSE(writes(g.graph, op, g.buffer(x)));
  EXPECT_TRUE(writes(g.graph, op, g.buffer(y)));
  EXPECT_FALSE(reads(g.graph, op, g.buffer(y), 1));
  EXPECT_EQ(bytes_moved(g.graph, op, 1), 32_B);
}

TEST(Graph, AnOutputThatCoversAPartReadsTheRest) {
  SmallGraph g;
  const TensorId x = g.tensor("x"), y = g.tensor("y", Role::activation, 4);
  const TensorId low = g.view("low", g.buffer(y), {}, 2), high = g.view("high", g.buffer(y), 8_B, 2);
  EXPECT_TRUE(reads(g.graph, g.op("half", {x}, {low}), g.buffer(y), 1));
  EXPECT_FALSE(reads(g.graph, g.op("both halves", {x}, {low, high}), g.buffer(y), 1));
}

TEST(Graph, TouchedBuffersComeOnceInOperandOrder) {
  SmallGraph g;
  const TensorId x = g.tensor("x"), y = g.tensor("y"), z = g.tensor("z");
  const TensorId in_place = g.view("y2", g.buffer(y), {}, 4);
  EXPECT_THAT(touched(g.graph, g.op("op", {y, x, y}, {z, in_place})),
              ElementsAre(g.buffer(y), g.buffer(x), g.buffer(z)));
}

/// a: x -> y; b: y in place; c: x -> z; d: y, z -> v; e: x -> z again.
SmallGraph diamond() {
  SmallGraph g;
  const TensorId x = g.tensor("x", Role::input), y = g.tensor("y"), z = g.tensor("z"), v = g.tensor("v");
  const TensorId y2 = g.view("y2", g.buffer(y), {}, 4);
  g.op("a", {x}, {y});
  g.op("b", {y}, {y2});
  g.op("c", {x}, {z});
  g.op("d", {y2, z}, {v});
  g.op("e", {x}, {z});
  return g;
}

TEST(Dependences, AreReadAfterWriteWriteAfterWriteAndWriteAfterRead) {
  const auto edges = dependences(diamond().graph, 1);
  const OpId a(0), b(1), c(2), d(3), e(4);
  EXPECT_THAT(edges[a], IsEmpty());
  EXPECT_THAT(edges[b], ElementsAre(a));
  EXPECT_THAT(edges[c], IsEmpty());
  EXPECT_THAT(edges[d], ElementsAre(b, c));
  EXPECT_THAT(edges[e], ElementsAre(c, d));  // overwrites what c wrote and d reads
}

TEST(Levels, AreTheLongestWayFromAStart) {
  const Graph graph = diamond().graph;
  EXPECT_THAT(levels(graph, dependences(graph, 1)).items(), ElementsAre(0U, 1U, 0U, 2U, 3U));
}

TEST(Levels, ACycleIsNamed) {
  const Graph graph = diamond().graph;
  IdVector<OpId, std::vector<OpId>> edges(graph.ops.size());
  edges[OpId(1)] = {OpId(0), OpId(3)};
  edges[OpId(3)] = {OpId(1)};
  try {
    static_cast<void>(levels(graph, edges));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the graph 'small' has a cycle among ops 'b', 'd'");
    EXPECT_EQ(error.code(), ExitCode::input);
  }
}

}  // namespace
}  // namespace spillway
