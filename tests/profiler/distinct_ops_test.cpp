#include "profiler/distinct_ops.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "models/models.h"

namespace spillway {
namespace {

Graph mlp() {
  return make_model("mlp", parse_settings({"width=4", "depth=2", "inputs=4", "classes=3"}), "adam");
}

std::uint32_t stands_for(const Graph& graph, const DistinctOps& distinct, const std::string& name,
                         std::size_t batch = 0) {
  for (const OpId id : graph.ops.ids()) {
    if (graph.ops[id].name == name) return distinct.stands_for_at[batch][id];
  }
  ADD_FAILURE() << "no op " << name;
  return 0;
}

TEST(DistinctOps, EqualLayersAreTimedOnce) {
  const Graph graph = mlp();
  const DistinctOps distinct = distinct_ops(graph, {2});
  EXPECT_EQ(stands_for(graph, distinct, "hidden1.linear"), stands_for(graph, distinct, "hidden2.linear"));
  EXPECT_NE(stands_for(graph, distinct, "hidden1.linear"), stands_for(graph, distinct, "head.linear"));
}

TEST(DistinctOps, AnMlpOfTwoEqualLayersHasFifteen) {
  // Forward: linear 4 -> 4, leaky ReLU, linear 4 -> 3, cross-entropy                          4
  // Backward: cross-entropy, to data and to weights of both linear shapes, leaky ReLU         6
  // Update: step, Adam for weights 4 x 4 and 3 x 4 and biases 4 and 3                         5
  EXPECT_EQ(distinct_ops(mlp(), {2}).ops.size(), 15U);
}

TEST(DistinctOps, WhatDoesNotDependOnTheBatchIsTimedForOneBatchOnly) {
  // The five updates are shared, the ten others aren't.
  const Graph graph = mlp();
  const DistinctOps distinct = distinct_ops(graph, {2, 3});
  EXPECT_EQ(distinct.ops.size(), 25U);
  const auto stands_for_both = [&](const std::string& name) {
    return stands_for(graph, distinct, name, 0) == stands_for(graph, distinct, name, 1);
  };
  EXPECT_TRUE(stands_for_both("hidden1.linear.weights.update"));
  EXPECT_FALSE(stands_for_both("hidden1.linear"));
}

TEST(DistinctOps, EachStandsForOpsOfItsOwnKindAndShapes) {
  const Graph graph = mlp();
  const std::vector<std::int64_t> batches{2, 3};
  const DistinctOps distinct = distinct_ops(graph, batches);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    for (const OpId id : graph.ops.ids()) {
      const OpDescription own = describe(graph, id, batches[i]);
      const OpDescription& timed = distinct.ops[distinct.stands_for_at[i][id]].description;
      SCOPED_TRACE(graph.ops[id].name);
      EXPECT_EQ(timed.attributes, own.attributes);
      EXPECT_EQ(timed.inputs, own.inputs);
      EXPECT_EQ(timed.outputs, own.outputs);
      EXPECT_EQ(timed.in_place, own.in_place);
    }
  }
}

OpDescription in_place_and_beside() {
  const OperandDescription ten{.type = ElementType::float32, .batched = false, .extents = {10}};     // 40 bytes
  const OperandDescription twenty{.type = ElementType::float32, .batched = false, .extents = {20}};  // 80 bytes
  return {.attributes = Opaque{}, .layout = {}, .inputs = {ten, twenty}, .outputs = {twenty, ten}, .in_place = {1, -1}};
}

TEST(PlaceOperands, ResultsInPlaceShareTheirInputsBytesAndAllElseIsApart) {
  const OperandPlaces places = place_operands(in_place_and_beside(), Bytes{100}, Bytes{64});
  // 40 -> [0, 64), 80 -> [64, 192), the second result [192, 256), the workspace [256, 384).
  EXPECT_EQ(places.inputs, (std::vector<Bytes>{{0}, {64}}));
  EXPECT_EQ(places.outputs, (std::vector<Bytes>{{64}, {192}}));
  EXPECT_EQ(places.workspace, Bytes{256});
  EXPECT_EQ(places.end, Bytes{384});
}

}  // namespace
}  // namespace spillway
