#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/core/small_graph.h"

namespace spillway {
namespace {

/// op "first": x -> y; op "second": y, w -> z, w.
SmallGraph good_graph() {
  SmallGraph g;
  const TensorId x = g.tensor("x", Role::input), y = g.tensor("y"), w = g.tensor("w", Role::parameter),
                 z = g.tensor("z");
  g.op("first", {x}, {y});
  g.op("second", {y, w}, {z, g.view("w.new", g.buffer(w), {}, 4)});
  return g;
}

struct MistakeCase {
  std::string name;
  std::function<void(Graph&)> make;
  std::vector<std::string> expected;
};

class MistakesTest : public testing::TestWithParam<MistakeCase> {};

TEST(Mistakes, AGoodGraphHasNone) {
  EXPECT_THAT(mistakes(good_graph().graph), testing::IsEmpty());
}

TEST_P(MistakesTest, AreNamed) {
  Graph graph = good_graph().graph;
  GetParam().make(graph);
  EXPECT_EQ(mistakes(graph), GetParam().expected);
}

constexpr OpId kFirst{0}, kSecond{1};
constexpr TensorId kX{0}, kY{1}, kZ{3};

INSTANTIATE_TEST_SUITE_P(
    Each, MistakesTest,
    testing::Values(
        MistakeCase{"BufferTwice", [](Graph& g) { g.buffers[BufferId(3)].name = "y"; }, {"buffer 'y' is there twice"}},
        MistakeCase{"TensorTwice", [](Graph& g) { g.tensors[kZ].name = "y"; }, {"tensor 'y' is there twice"}},
        MistakeCase{"OpTwice", [](Graph& g) { g.ops[kSecond].name = "first"; }, {"op 'first' is there twice"}},
        MistakeCase{"NoName", [](Graph& g) { g.ops[kSecond].name = ""; }, {"an op has no name"}},
        MistakeCase{"NoBytes",
                    [](Graph& g) { g.buffers[BufferId(3)].bytes_fixed = {}; },
                    {"buffer 'z' has no bytes or fewer",
                     "tensor 'z' ends behind its buffer 'z': at 0 + 16 of 0 bytes at batch 1"}},
        MistakeCase{
            "TensorInNoBuffer", [](Graph& g) { g.tensors[kZ].buffer = BufferId(9); }, {"tensor 'z' is in no buffer"}},
        MistakeCase{"TensorBehindItsBuffer",
                    [](Graph& g) { g.tensors[kZ].offset = 4_B; },
                    {"tensor 'z' ends behind its buffer 'z': at 4 + 16 of 16 bytes at batch 1"}},
        MistakeCase{"TensorBeforeItsBuffer",
                    [](Graph& g) { g.tensors[kZ].offset = {-4}; },
                    {"tensor 'z' ends behind its buffer 'z': at -4 + 16 of 16 bytes at batch 1"}},
        // At batch 1 it fits: 16 bytes; at batch 2 it doesn't.
        MistakeCase{"TensorThatGrowsAndBufferThatDoesNot",
                    [](Graph& g) { g.tensors[kZ].batched = true; },
                    {"tensor 'z' ends behind its buffer 'z': at 0 + 32 of 16 bytes at batch 2"}},
        MistakeCase{"WriteToAnInput",
                    [](Graph& g) { g.ops[kSecond].outputs.push_back(kX); },
                    {"op 'second' writes the input 'x'"}},
        MistakeCase{"ReadBeforeWrite",
                    [](Graph& g) { g.ops[kFirst].inputs.push_back(kZ); },
                    {"op 'first' reads 'z' before anything wrote it"}},
        MistakeCase{"PartWrittenBeforeTheWhole",
                    [](Graph& g) { g.tensors[kY].extents = {2}; },
                    {"op 'first' reads 'y' before anything wrote it"}}),
    [](const testing::TestParamInfo<MistakeCase>& tested) { return tested.param.name; });

}  // namespace
}  // namespace spillway
