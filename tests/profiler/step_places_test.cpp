#include "profiler/step_places.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "models/models.h"

namespace spillway {
namespace {

constexpr Bytes kAlignment = 64_B;
constexpr std::int64_t kBatch = 2;

Graph resnet() {
  return make_model("resnet", parse_settings({"depth=18", "side=32", "classes=10"}), "adam");
}

struct Operand {
  TensorId tensor;
  Bytes at, end;
};

/// The operands of one op, inputs first.
std::vector<Operand> operands(const Graph& graph, OpId op, const OperandPlaces& places) {
  std::vector<Operand> result;
  const auto add = [&](TensorId tensor, Bytes at) {
    result.push_back({tensor, at, at + bytes(graph.tensors[tensor], kBatch)});
  };
  for (std::size_t i = 0; i < places.inputs.size(); ++i) add(graph.ops[op].inputs[i], places.inputs[i]);
  for (std::size_t i = 0; i < places.outputs.size(); ++i) add(graph.ops[op].outputs[i], places.outputs[i]);
  return result;
}

/// What one op's operands take together, at most.
Bytes largest_op(const Graph& graph, Bytes workspace) {
  Bytes largest;
  for (const OpId op : graph.ops.ids())
    largest = std::max(largest, place_operands(describe(graph, op, kBatch), workspace, kAlignment).end);
  return largest;
}

class PlacedStep : public testing::TestWithParam<int> {
 protected:
  static constexpr Bytes kWorkspace = 3000_B;
  const Graph graph_ = resnet();
  const Bytes integers_ = bytes_of_integers(graph_, kBatch, kAlignment);
  /// The least, twice that, ...
  const Bytes room_ = integers_ + GetParam() * largest_op(graph_, kWorkspace);
  const std::vector<Bytes> workspaces_ = std::vector<Bytes>(graph_.ops.size(), kWorkspace);
  const std::optional<StepPlaces> placed_ = place_step(graph_, kBatch, workspaces_, room_, kAlignment);
};

TEST_P(PlacedStep, OperandsOfAnOpOverlapOnlyWhereTheirTensorsDo) {
  ASSERT_TRUE(placed_);
  ASSERT_EQ(placed_->ops.size(), graph_.ops.size());
  for (const OpId op : graph_.ops.ids()) {
    const OperandPlaces& places = placed_->ops[op.index()];
    std::vector<Operand> all = operands(graph_, op, places);
    for (const Operand& a : all) {
      EXPECT_EQ(a.at.value % kAlignment.value, 0);
      EXPECT_LE(a.end, room_);
      EXPECT_TRUE(a.end <= places.workspace || places.workspace + kWorkspace <= a.at) << graph_.ops[op].name;
      for (const Operand& b : all) {
        const Tensor &first = graph_.tensors[a.tensor], &second = graph_.tensors[b.tensor];
        if (a.end <= b.at || b.end <= a.at) continue;
        EXPECT_EQ(first.buffer, second.buffer) << graph_.ops[op].name;
        EXPECT_EQ(a.at - b.at, first.offset - second.offset) << graph_.ops[op].name;
      }
    }
  }
}

TEST_P(PlacedStep, NoFloatIsEverWrittenOverAnInteger) {
  ASSERT_TRUE(placed_);
  EXPECT_GE(placed_->floats, integers_);
  for (const OpId op : graph_.ops.ids()) {
    for (const Operand& operand : operands(graph_, op, placed_->ops[op.index()])) {
      if (graph_.tensors[operand.tensor].type == ElementType::float32) {
        EXPECT_GE(operand.at, placed_->floats);
      } else {
        EXPECT_LE(operand.end, placed_->floats);
      }
    }
    EXPECT_GE(placed_->ops[op.index()].workspace, placed_->floats);
  }
}

/// With so much room that no op's operands have to move together.
class RoomyStep : public PlacedStep {};

TEST_P(RoomyStep, ATensorIsFoundWhereItWasUnlessItsBytesWereTaken) {
  ASSERT_TRUE(placed_);
  std::map<TensorId, Operand> last;
  for (const OpId op : graph_.ops.ids()) {
    const OperandPlaces& places = placed_->ops[op.index()];
    std::vector<Operand> all = operands(graph_, op, places);
    for (const Operand& operand : all) {
      if (const auto known = last.find(operand.tensor); known != last.end()) {
        EXPECT_EQ(known->second.at, operand.at) << graph_.ops[op].name;
      }
    }
    // Whatever shares bytes with what this op touches, but is another buffer's, is gone.
    all.push_back({{}, places.workspace, places.workspace + kWorkspace});
    for (const Operand& operand : all) {
      std::erase_if(last, [&](const auto& item) {
        const Operand& other = item.second;
        const bool same =
            operand.tensor.valid() && graph_.tensors[other.tensor].buffer == graph_.tensors[operand.tensor].buffer;
        return !same && other.at < operand.end && operand.at < other.end;
      });
      if (operand.tensor.valid()) last[operand.tensor] = operand;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rooms, PlacedStep, testing::Values(1, 2, 5, 100));
INSTANTIATE_TEST_SUITE_P(Rooms, RoomyStep, testing::Values(2, 5, 100));

TEST(PlaceStep, LessRoomThanTheLargestOperandTakesIsNotEnough) {
  const Graph graph = resnet();
  const std::vector<Bytes> workspaces(graph.ops.size(), 0_B);
  Bytes largest;
  for (const Tensor& tensor : graph.tensors) largest = std::max(largest, bytes(tensor, kBatch));
  const Bytes integers = bytes_of_integers(graph, kBatch, kAlignment);
  EXPECT_FALSE(place_step(graph, kBatch, workspaces, integers + largest - kAlignment, kAlignment));
  EXPECT_FALSE(place_step(graph, kBatch, workspaces, integers - kAlignment, kAlignment));
}

}  // namespace
}  // namespace spillway
