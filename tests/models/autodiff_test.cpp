#include "models/autodiff/training_step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.h"
#include "models/builder.h"
#include "models/models.h"

namespace spillway {

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

const Optimizer kSgd = make_optimizer("sgd", 0.1);

std::vector<std::string> op_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Op& op : graph.ops) names.push_back(op.name);
  return names;
}

const Op& op_named(const Graph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.ops, name, &Op::name);
  SPILLWAY_CHECK(found != graph.ops.end(), name);
  return *found;
}

std::string buffer_of(const Graph& graph, TensorId tensor) {
  return graph.buffers[graph.tensors[tensor].buffer].name;
}

/// image [4] -> linear -> (more) -> linear -> loss.
struct SmallNetwork {
  GraphBuilder builder{"small"};
  TensorId labels = builder.input("labels", {}, ElementType::int64);
  TensorId image = builder.input("image", {4});
  TensorId x = builder.linear("first", image, 4);

  Graph finish(TensorId last) {
    builder.softmax_cross_entropy("loss", builder.linear("last", last, 3), labels);
    return builder.take();
  }
};

TEST(TrainingStep, RunsGradientsBackwardsAndUpdatesAsSoonAsTheyAreFinal) {
  SmallNetwork network;
  const TensorId relu = network.builder.leaky_relu_in_place("relu", network.x, 0);
  // The loss's gradient, then per layer: weights, data (not for the first: nobody wants the image's gradient), updates.
  EXPECT_THAT(op_names(training_step(network.finish(relu), kSgd)),
              ElementsAre("first", "relu", "last", "loss", "loss.backward", "last.backward_weights",
                          "last.backward_data", "last.weights.update", "last.bias.update", "relu.backward",
                          "first.backward_weights", "first.weights.update", "first.bias.update"));
}

TEST(TrainingStep, CountsStepsOnlyWhereSomethingReadsTheirNumber) {
  const auto names = [](const Graph& graph) { return op_names(graph); };
  EXPECT_THAT(names(make_model("mlp", {}, "sgd")), Not(Contains("step.advance")));
  for (const auto& [model, optimizer] : {std::pair{"mlp", "adam"}, std::pair{"unet3d", "sgd"}}) {
    const Graph graph = make_model(model, {}, optimizer);
    EXPECT_EQ(graph.ops[OpId(0)].name, "step.advance");
    EXPECT_EQ(std::ranges::count(names(graph), "step.advance"), 1);
  }
}

TEST(TrainingStep, ChangesAGradientInPlaceWhenItHasOneOwner) {
  SmallNetwork network;
  const Graph graph = training_step(network.finish(network.builder.leaky_relu_in_place("relu", network.x, 0)), kSgd);
  const Op& backward = op_named(graph, "relu.backward");
  EXPECT_EQ(buffer_of(graph, backward.outputs[0]), buffer_of(graph, backward.inputs[0]));
}

TEST(TrainingStep, NeverChangesAGradientThatTwoStillHold) {
  // first -> a = linear -> relu_a \                       the sum's gradient goes to both ReLUs: the one that runs
  // first must
  //       -> b = linear -> relu_b - add -> last           leave it, the second may change it.
  SmallNetwork network;
  GraphBuilder& builder = network.builder;
  const TensorId a = builder.leaky_relu_in_place("relu_a", builder.linear("a", network.x, 4), 0);
  const TensorId b = builder.leaky_relu_in_place("relu_b", builder.linear("b", network.x, 4), 0);
  const Graph graph = training_step(network.finish(builder.add("add", a, b)), kSgd);
  const Op& earlier = op_named(graph, "relu_b.backward");
  const Op& later = op_named(graph, "relu_a.backward");
  EXPECT_EQ(earlier.inputs[0], later.inputs[0]);
  EXPECT_NE(buffer_of(graph, earlier.outputs[0]), buffer_of(graph, earlier.inputs[0]));
  EXPECT_EQ(buffer_of(graph, later.outputs[0]), buffer_of(graph, later.inputs[0]));
  // The two data gradients of `first.out` are added in place on the one that was there.
  const Op& sum = op_named(graph, "first.out.grad.sum");
  EXPECT_EQ(buffer_of(graph, sum.outputs[0]), buffer_of(graph, sum.inputs[0]));
}

TEST(TrainingStep, AddsToAnInputOfASumWithoutTouchingTheOthersGradient) {
  // s = x + y and t = x + s, where s and t are both wanted: x gets two gradients, and each of them is y's or s's as
  // well.
  SmallNetwork network;
  GraphBuilder& builder = network.builder;
  const TensorId y = builder.leaky_relu_in_place("relu", builder.linear("y", network.x, 4), 0);
  const TensorId s = builder.add("s", network.x, y), t = builder.add("t", network.x, s);
  const Graph graph = training_step(network.finish(t), kSgd);
  // t's gradient is x's first gradient and s's, and s's is x's second and y's: the sum is made while y still waits for
  // it.
  const Op& sum = op_named(graph, "first.out.grad.sum");
  EXPECT_EQ(sum.inputs[0], sum.inputs[1]);
  EXPECT_NE(buffer_of(graph, sum.outputs[0]), buffer_of(graph, sum.inputs[0]));
  EXPECT_EQ(op_named(graph, "relu.backward").inputs[0], sum.inputs[0]);
}

TEST(TrainingStep, RefusesToReadAValueThatWasOverwritten) {
  // The sum lies where the ReLU's result was, and the ReLU's gradient needs the signs of that.
  SmallNetwork network;
  GraphBuilder& builder = network.builder;
  const TensorId relu = builder.leaky_relu_in_place("relu", builder.linear("a", network.x, 4), 0);
  const Graph forward = network.finish(builder.add_in_place("sum", relu, network.x));
  EXPECT_THROW(static_cast<void>(training_step(forward, kSgd)), Bug);
}

TEST(TrainingStep, UpdatesASharedParameterOnceByTheSumOfItsGradients) {
  // last(first(first(image))): the second layer is made again from the first one's parameters.
  SmallNetwork network;
  GraphBuilder& builder = network.builder;
  const Op first = builder.graph().ops[OpId(0)];
  const TensorId again = builder.activation("again.out", true, {4});
  builder.op({"again", Linear{}, {network.x, first.inputs[1], first.inputs[2]}, {again}, Phase::forward, true, 0, 32});
  const Graph graph = training_step(network.finish(again), kSgd);
  const std::vector<std::string> names = op_names(graph);
  EXPECT_EQ(std::ranges::count(names, "first.weights.update"), 1);
  const Op& sum = op_named(graph, "first.weights.grad.sum");
  EXPECT_EQ(op_named(graph, "first.weights.update").inputs[1], sum.outputs[0]);
  EXPECT_LT(std::ranges::find(names, "again.backward_data"), std::ranges::find(names, "first.weights.update"));
}

TEST(TrainingStep, UpdatesLargeParametersInSlicesWithStateOfTheirOwn) {
  // 4096 x 4096 floats are 64 MiB: 4 slices of 16 MiB.
  const Graph graph = make_model("mlp", parse_settings({"width=4096", "depth=2"}), "adam");
  for (int number = 0; number < 4; ++number) {
    const std::string suffix = "." + std::to_string(number);
    const Op& update = op_named(graph, "hidden2.linear.weights.update" + suffix);
    for (const int operand : {0, 1, 2, 3}) {
      const Tensor& tensor = graph.tensors[update.inputs[static_cast<std::size_t>(operand)]];
      EXPECT_EQ(tensor.extents, Extents({4'194'304}));
      EXPECT_EQ(tensor.offset, operand < 2 ? number * 16_MiB : 0_B);
    }
    EXPECT_EQ(buffer_of(graph, update.inputs[0]), "hidden2.linear.weights");
    EXPECT_EQ(buffer_of(graph, update.inputs[1]), "hidden2.linear.weights.grad");
    EXPECT_EQ(buffer_of(graph, update.inputs[2]), "hidden2.linear.weights.first_moment" + suffix);
  }
  EXPECT_THAT(op_names(graph), Not(Contains("hidden2.linear.weights.update.4")));
  EXPECT_THAT(op_names(graph), Contains("hidden1.linear.weights.update"));  // 784 x 4096 floats are 12 MiB
}

TEST(TrainingStep, KeepsForwardOpsRepeatableAndNothingElse) {
  for (const Op& op : make_model("resnet", {}).ops) {
    const bool repeatable = op.phase == Phase::forward && kind_of(op.attributes) != RunningStatistics::kKind;
    EXPECT_EQ(op.recomputable, repeatable) << op.name;
  }
}

TEST(TrainingStep, HasNoGradientRuleForOpsOfWhichOnlyTheCostIsKnown) {
  SmallNetwork network;
  const TensorId y = network.builder.activation("y", true, {4});
  network.builder.op({"mystery", Opaque{"softplus"}, {network.x}, {y}, Phase::forward, true, 0, 4});
  EXPECT_THROW(static_cast<void>(training_step(network.finish(y), kSgd)), Bug);
}

}  // namespace

}  // namespace spillway
