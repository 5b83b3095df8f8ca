#include "core/planned_step.h"
#include "core/gradients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/core/small_graph.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using Buckets = std::vector<std::vector<BufferId>>;

/// Three layers: gradients come in the order c, b, a, each followed by its update.
struct Layers : SmallGraph {
  Trace trace;
  BufferId a, b, c;

  Layers() {
    const TensorId x = tensor("x", Role::input), y = tensor("y");
    a = layer("a");
    b = layer("b");
    c = layer("c");
    op("forward", {x}, {y});
    for (const std::string layer : {"c", "b", "a"}) {
      op(layer + ".backward", {y}, {find(layer + ".grad")});
      const OpId update = op(layer + ".update", {find(layer), find(layer + ".grad")}, {find(layer)});
      graph.ops[update].phase = Phase::update;
    }
    trace.graph = graph;
    BatchCosts costs{.batch = 1, .kernels = {}, .kernel_of = {}};
    for (const OpId id : graph.ops.ids()) {
      costs.kernel_of.push_back(static_cast<std::uint32_t>(id.index()));
      costs.kernels.push_back(
          {.kernel = graph.ops[id].name, .workspace = {}, .seconds = {}, .seconds_while_copying = {}});
    }
    trace.batches.push_back(costs);
  }
  /// A parameter and its gradient, whose buffer it returns.
  BufferId layer(const std::string& name) {
    tensor(name, Role::parameter);
    return buffer(tensor(name + ".grad", Role::gradient));
  }
  [[nodiscard]] TensorId find(const std::string& name) const {
    for (const TensorId id : graph.tensors.ids()) {
      if (graph.tensors[id].name == name) return id;
    }
    return {};
  }
  [[nodiscard]] std::vector<std::string> ops_with(Buckets buckets, std::int64_t behind = 1) const {
    const Trace step =
        planned_step(trace, 1, GradientReduction{.buckets = std::move(buckets), .updates_behind = behind});
    std::vector<std::string> names;
    for (const OpId id : step.graph.ops.ids()) {
      names.push_back(step.graph.ops[id].name);
      // Costs follow their ops.
      const bool reduces = std::holds_alternative<AllReduce>(step.graph.ops[id].attributes);
      EXPECT_EQ(cost(step.batches.front(), id).kernel, reduces ? "all_reduce" : names.back());
    }
    return names;
  }
  [[nodiscard]] std::string complaint(Buckets buckets) const {
    try {
      static_cast<void>(ops_with(std::move(buckets)));
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }
};

TEST(PlannedStep, WithoutAReductionIsTheTracedStep) {
  const Layers layers;
  EXPECT_EQ(planned_step(layers.trace, 1, std::nullopt), layers.trace);
}

TEST(PlannedStep, GradientsAreListedAsTheBackwardPassCompletesThem) {
  const Layers layers;
  EXPECT_THAT(parameter_gradients(layers.graph), ElementsAre(layers.c, layers.b, layers.a));
}

TEST(PlannedStep, AnAllReduceStandsBehindTheLastGradientOfItsBucket) {
  const Layers layers;
  EXPECT_THAT(layers.ops_with({{layers.c, layers.b}, {layers.a}}),
              ElementsAre("forward", "c.backward", "b.backward", "all_reduce.0", "a.backward", "all_reduce.1",
                          "c.update", "b.update", "a.update"));
}

TEST(PlannedStep, UpdatesStandBehindAsManyAllReducesAsAskedFor) {
  const Layers layers;
  const Buckets each{{layers.c}, {layers.b}, {layers.a}};
  EXPECT_THAT(layers.ops_with(each, 1),
              ElementsAre("forward", "c.backward", "all_reduce.0", "b.backward", "all_reduce.1", "c.update",
                          "a.backward", "all_reduce.2", "b.update", "a.update"));
  EXPECT_THAT(layers.ops_with(each, 9),
              ElementsAre("forward", "c.backward", "all_reduce.0", "b.backward", "all_reduce.1", "a.backward",
                          "all_reduce.2", "c.update", "b.update", "a.update"));
}

TEST(PlannedStep, BucketsKeepTheirNumbersInWhateverOrderTheyFill) {
  const Layers layers;
  EXPECT_THAT(layers.ops_with({{layers.a}, {layers.b, layers.c}}),
              ElementsAre("forward", "c.backward", "b.backward", "all_reduce.1", "a.backward", "all_reduce.0",
                          "c.update", "b.update", "a.update"));
}

TEST(PlannedStep, WhatReadsAllGradientsWaitsForTheLastBucketAndUpdatesWaitForIt) {
  Layers layers;
  const TensorId norm = layers.tensor("norm");
  Graph& graph = layers.trace.graph;
  graph = layers.graph;
  IdVector<OpId, Op> ops;
  for (const Op& op : graph.ops) {
    if (op.phase != Phase::update) ops.push_back(op);
  }
  ops.push_back({.name = "clip",
                 .attributes = Opaque{},
                 .inputs = {layers.find("a.grad"), layers.find("b.grad"), layers.find("c.grad")},
                 .outputs = {norm},
                 .phase = Phase::update});
  for (Op op : graph.ops) {
    op.inputs.push_back(norm);
    if (op.phase == Phase::update) ops.push_back(op);
  }
  graph.ops = ops;
  layers.trace.batches.clear();
  const Trace step = planned_step(
      layers.trace, 1, GradientReduction{.buckets = {{layers.c}, {layers.b}, {layers.a}}, .updates_behind = 1});
  std::vector<std::string> names;
  for (const Op& op : step.graph.ops) names.push_back(op.name);
  EXPECT_THAT(names, ElementsAre("forward", "c.backward", "all_reduce.0", "b.backward", "all_reduce.1", "a.backward",
                                 "all_reduce.2", "clip", "c.update", "b.update", "a.update"));
}

TEST(PlannedStep, EveryGradientMustBeInExactlyOneBucket) {
  const Layers layers;
  EXPECT_EQ(layers.complaint({{layers.a}, {layers.b}}), "gradient 'c.grad' is in no bucket");
  EXPECT_EQ(layers.complaint({{layers.a, layers.b}, {layers.c, layers.a}}), "gradient 'a.grad' is in two buckets");
  EXPECT_EQ(layers.complaint({{layers.a, layers.b, layers.c}, {}}), "bucket 1 has no gradients");
  EXPECT_EQ(layers.complaint({{layers.a, layers.b, layers.c, BufferId(std::size_t{0})}}),
            "a bucket holds a buffer that isn't a parameter's gradient");
}

}  // namespace
}  // namespace spillway
