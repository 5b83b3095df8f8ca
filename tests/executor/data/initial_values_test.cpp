#include "executor/data/initial_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/fill.h"
#include "tests/executor/data/small_graph.h"
#include "tests/executor/data/support.h"

namespace spillway {
namespace {

using testing::Each;
using testing::ElementsAre;

template <class T>
std::vector<T> initial(const SmallGraph& graph, TensorId tensor, std::size_t elements) {
  std::vector<T> values(elements, T{99});
  fill_initial_values(graph.graph, graph.buffer(tensor), 5, std::as_writable_bytes(std::span(values)));
  return values;
}

TEST(InitialValues, AreTheConstant) {
  SmallGraph graph;
  const TensorId scale =
      graph.lasting("scale", Role::parameter, ElementType::float32, {3}, Initializer{Initializer::Kind::constant, 1.5});
  const TensorId step =
      graph.lasting("step", Role::state, ElementType::int64, {1}, Initializer{Initializer::Kind::constant, 4});
  EXPECT_THAT(initial<float>(graph, scale, 3), Each(1.5F));
  EXPECT_THAT(initial<std::int64_t>(graph, step, 1), ElementsAre(4));
}

TEST(InitialValues, AreZeroWithoutAnInitializer) {
  SmallGraph graph;
  const TensorId moment = graph.lasting("m", Role::optimizer_state, ElementType::float32, {3});
  EXPECT_THAT(initial<float>(graph, moment, 3), Each(0.0F));
}

TEST(InitialValues, AreUniformByTheBuffersNameAlsoBeyondOnePiece) {
  SmallGraph graph;
  const TensorId weights = graph.lasting("conv.weights", Role::parameter, ElementType::float32, {100, 101},
                                         Initializer{Initializer::Kind::uniform, 0.25});
  std::vector<float> expected(10100);
  fill_uniform(expected, "conv.weights", 5, -0.25, 0.25);
  EXPECT_EQ(initial<float>(graph, weights, 10100), expected);
}

TEST(InitialValues, NeedAConstantForWholeNumbers) {
  SmallGraph graph;
  const TensorId step =
      graph.lasting("step", Role::state, ElementType::int64, {1}, Initializer{Initializer::Kind::uniform, 1});
  EXPECT_EQ(complaint("buffer 'step'", ExitCode::input, [&] { initial<std::int64_t>(graph, step, 1); }),
            ": found a uniform initializer for whole numbers, expected a constant");
}

TEST(LastingArray, TakesTheTensorThatCoversTheBuffer) {
  SmallGraph graph;
  const TensorId weights = graph.lasting("w", Role::parameter, ElementType::float32, {4, 5});
  Tensor slice = graph.graph.tensors[weights];
  slice.extents = {10};
  graph.graph.tensors.push_back(slice);
  EXPECT_THAT(lasting_array(graph.graph, graph.buffer(weights)).extents, ElementsAre(4, 5));
  // With slices alone it is one row.
  graph.graph.tensors[weights].extents = {10};
  EXPECT_THAT(lasting_array(graph.graph, graph.buffer(weights)).extents, ElementsAre(20));
}

}  // namespace
}  // namespace spillway
