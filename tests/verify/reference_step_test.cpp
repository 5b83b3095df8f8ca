#include "verify/reference_step.h"

#include <gtest/gtest.h>

#include "tests/verify/toy.h"

namespace spillway {
namespace {

TEST(ReferenceStep, InPlaceChainsMakeANewValueAtEachWrite) {
  const Graph graph = toy_trace().graph;
  const ReferenceStep step(graph, 2);
  const Value out_of_head = step.operands(op_named(graph, "head")).outputs[0].value;
  const Value out_of_loss = step.operands(op_named(graph, "loss")).outputs[1].value;
  EXPECT_EQ(step.operands(op_named(graph, "loss")).inputs[0], out_of_head);
  EXPECT_NE(out_of_loss, out_of_head);
  EXPECT_EQ(step.operands(op_named(graph, "backward")).inputs[1], out_of_loss);
  EXPECT_EQ(step.maker(out_of_loss), op_named(graph, "loss"));
}

TEST(ReferenceStep, InputsAndLastingBuffersHaveAValueAtTheStart) {
  const Graph graph = toy_trace().graph;
  const ReferenceStep step(graph, 2);
  const OpId forward = op_named(graph, "forward");
  EXPECT_EQ(step.operands(forward).inputs[0], step.at_start(buffer_named(graph, "image")));
  EXPECT_EQ(step.operands(forward).inputs[1], step.at_start(buffer_named(graph, "w")));
  EXPECT_NE(step.at_start(buffer_named(graph, "w")), kUnwritten);
  EXPECT_EQ(step.at_start(buffer_named(graph, "act")), kUnwritten);
  EXPECT_FALSE(step.maker(step.at_start(buffer_named(graph, "w"))).valid());
}

TEST(ReferenceStep, TheEndHoldsTheLastValues) {
  const Graph graph = toy_trace().graph;
  const ReferenceStep step(graph, 2);
  EXPECT_EQ(step.at_end(buffer_named(graph, "w")), step.operands(op_named(graph, "update")).outputs[0].value);
  EXPECT_EQ(step.at_end(buffer_named(graph, "image")), step.at_start(buffer_named(graph, "image")));
}

TEST(ReferenceStep, AnOutputThatCoversAPartDependsOnTheRest) {
  Graph graph = toy_trace().graph;
  const TensorId w_new = graph.ops[op_named(graph, "update")].outputs[0];
  graph.tensors[w_new].extents = {8};  // 32 of w's 64 bytes
  const ReferenceStep step(graph, 2);
  const auto& outputs = step.operands(op_named(graph, "update")).outputs;
  EXPECT_EQ(outputs[0].on_top_of, step.at_start(buffer_named(graph, "w")));
  EXPECT_EQ(outputs[1].on_top_of, std::nullopt);
}

}  // namespace
}  // namespace spillway
