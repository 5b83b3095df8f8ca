#include "core/micro_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "core/compute_stream.h"
#include "core/error.h"
#include "core/planned_step.h"
#include "tests/core/small_graph.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

/// Two layers that drop channels, and a loss; each gradient is followed by its update.
struct Network : SmallGraph {
  Trace trace;

  Network() {
    const TensorId number = tensor("step", Role::state), first = tensor(kFirstSample, Role::state),
                   image = tensor("image", Role::input), hidden = tensor("hidden"), loss = tensor("loss", Role::loss);
    graph.ops[op("advance", {number}, {number})].phase = Phase::update;
    for (const std::string name : {"a", "b"}) {
      tensor(name, Role::parameter);
      tensor(name + ".grad", Role::gradient);
    }
    op("forward", {image, find("a"), find("b"), first, number}, {hidden});
    op("loss", {hidden}, {loss});
    for (const std::string name : {"b", "a"}) {
      graph.ops[op(name + ".backward", {hidden, find(name)}, {find(name + ".grad")})].phase = Phase::backward;
      graph.ops[op(name + ".update", {find(name), find(name + ".grad")}, {find(name)})].phase = Phase::update;
    }
    trace.graph = graph;
    BatchCosts costs{.batch = 1, .kernels = {}, .kernel_of = {}};
    const Graph timed = with_accumulations(graph);
    for (const OpId id : timed.ops.ids()) {
      add_kernel(costs, graph.ops.size(), static_cast<std::uint32_t>(id.index()));
      costs.kernels.push_back(
          {.kernel = timed.ops[id].name, .workspace = {}, .seconds = {}, .seconds_while_copying = {}});
    }
    trace.batches.push_back(costs);
  }
  [[nodiscard]] TensorId find(const std::string& name) const {
    for (const TensorId id : graph.tensors.ids()) {
      if (graph.tensors[id].name == name) return id;
    }
    return {};
  }
};

std::vector<std::string> names_of_ops(const Graph& graph) {
  std::vector<std::string> names;
  for (const Op& op : graph.ops) names.push_back(op.name);
  return names;
}

std::vector<std::string> operands(const Graph& graph, const std::string& name) {
  std::vector<std::string> found;
  for (const Op& op : graph.ops) {
    if (op.name != name) continue;
    for (const TensorId input : op.inputs) found.push_back(graph.tensors[input].name);
    found.emplace_back("->");
    for (const TensorId output : op.outputs) found.push_back(graph.tensors[output].name);
  }
  return found;
}

TEST(MicroBatches, OneIsTheTracedStep) {
  const Network network;
  EXPECT_EQ(unrolled(network.trace, 1), network.trace);
}

TEST(MicroBatches, EachIsAPassAndUpdatesRunInTheLast) {
  const Network network;
  const Trace step = unrolled(network.trace, 3);
  EXPECT_THAT(names_of_ops(step.graph),
              ElementsAre("advance", "forward", "loss", "b.backward", "a.backward",                          //
                          "forward@2", "loss@2", "b.backward@2", "b.backward.accumulate@2", "a.backward@2",  //
                          "a.backward.accumulate@2",                                                         //
                          "forward@3", "loss@3", "b.backward@3", "b.backward.accumulate@3", "b.update",      //
                          "a.backward@3", "a.backward.accumulate@3", "a.update"));
}

TEST(MicroBatches, APassHasItsOwnInputsLossesAndSampleNumbersAndSharesTheRest) {
  const Network network;
  const Trace step = unrolled(network.trace, 2);
  EXPECT_THAT(operands(step.graph, "forward@2"),
              ElementsAre("image@2", "a", "b", "first_sample@2", "step", "->", "hidden"));
  EXPECT_THAT(operands(step.graph, "loss@2"), ElementsAre("hidden", "->", "loss@2"));
  EXPECT_THAT(operands(step.graph, "b.backward@2"), ElementsAre("hidden", "b", "->", "b.grad.part"));
  EXPECT_THAT(operands(step.graph, "b.backward.accumulate@2"), ElementsAre("b.grad", "b.grad.part", "->", "b.grad"));
  EXPECT_THAT(operands(step.graph, "b.update"), ElementsAre("b", "b.grad", "->", "b"));
  std::vector<std::string> copies;
  for (const Buffer& buffer : step.graph.buffers) {
    if (!buffer.copy_of.valid()) continue;
    EXPECT_EQ(buffer.name, step.graph.buffers[buffer.copy_of].name + "@2");
    EXPECT_EQ(buffer.micro_batch, 1);
    copies.push_back(buffer.name);
  }
  EXPECT_THAT(copies, UnorderedElementsAre("image@2", "loss@2", "first_sample@2"));
  EXPECT_THAT(mistakes(step.graph), testing::IsEmpty());
}

TEST(MicroBatches, TheLastSumIsTheMean) {
  const Network network;
  std::vector<double> scales;
  for (const Op& op : unrolled(network.trace, 4).graph.ops) {
    if (const auto* sum = std::get_if<Accumulate>(&op.attributes)) scales.push_back(sum->scale);
  }
  EXPECT_THAT(scales, ElementsAre(1, 1, 1, 1, 0.25, 0.25));
}

TEST(MicroBatches, OpsKeepTheirCostsAndOneCostIsOfOneDescription) {
  const Network network;
  const Trace step = unrolled(network.trace, 3);
  const BatchCosts& costs = step.batches.front();
  ASSERT_EQ(costs.kernel_of.size(), step.graph.ops.size());
  for (const OpId id : step.graph.ops.ids()) {
    const std::string& name = step.graph.ops[id].name;
    EXPECT_EQ(cost(costs, id).kernel, name.substr(0, name.find('@')));
    for (const OpId other : step.graph.ops.ids()) {
      if (costs.kernel_of[id] != costs.kernel_of[other]) continue;
      EXPECT_EQ(step.graph.ops[id].attributes, step.graph.ops[other].attributes) << name;
    }
  }
}

TEST(MicroBatches, AllReducesFollowTheLastSum) {
  const Network network;
  const Graph& graph = network.graph;
  const BufferId a = network.buffer(network.find("a.grad")), b = network.buffer(network.find("b.grad"));
  const Trace step = planned_step(network.trace, 2, GradientReduction{.buckets = {{b}, {a}}, .updates_behind = 1});
  const std::vector<std::string> names = names_of_ops(step.graph);
  const auto second = std::ranges::find(names, "b.backward@2");
  EXPECT_THAT(std::vector(second, names.end()),
              ElementsAre("b.backward@2", "b.backward.accumulate@2", "all_reduce.0", "a.backward@2",
                          "a.backward.accumulate@2", "all_reduce.1", "b.update", "a.update"));
  EXPECT_EQ(graph.ops.size(), 7U);
}

TEST(MicroBatches, ATracedNameThatAPassWouldHaveIsRefused) {
  const auto complaint = [](Network network) {
    try {
      static_cast<void>(planned_step(network.trace, 2, std::nullopt));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  EXPECT_EQ(complaint(Network()), "none");
  Network op, buffer;
  op.trace.graph.ops[OpId(1U)].name = "loss@2";
  EXPECT_THAT(complaint(op), testing::StartsWith("the planned step has two ops 'loss@2'"));
  buffer.trace.graph.buffers[buffer.buffer(buffer.find("hidden"))].name = "a.grad.part";
  EXPECT_THAT(complaint(buffer), testing::StartsWith("the planned step has two buffers 'a.grad.part'"));
}

TEST(MicroBatches, InputsOfAPassArriveDuringTheOneBefore) {
  const Network network;
  const Trace step = unrolled(network.trace, 4);
  const IdVector<BufferId, Position> arrival =
      arrivals(step.graph, uses(step.graph, compute_stream(step.graph, {}), 1));
  std::map<std::string, std::string> at;
  for (const BufferId id : step.graph.buffers.ids()) {
    if (step.graph.buffers[id].role == Role::input)
      at[step.graph.buffers[id].name] = step.graph.ops[OpId(arrival[id].index())].name;
  }
  EXPECT_THAT(at, testing::ElementsAre(testing::Pair("image", "advance"), testing::Pair("image@2", "advance"),
                                       testing::Pair("image@3", "forward@2"), testing::Pair("image@4", "forward@3")));
}

TEST(MicroBatches, ATraceWithoutTheirCostsIsRefused) {
  Network network;
  network.trace.batches.front().accumulate_of.clear();
  EXPECT_THROW(static_cast<void>(unrolled(network.trace, 2)), Error);
}

}  // namespace
}  // namespace spillway
