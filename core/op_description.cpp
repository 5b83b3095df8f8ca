#include "core/op_description.h"

#include <type_traits>
#include <variant>

namespace spillway {
namespace {

template <class Kind, class... Kinds>
constexpr bool is_one_of = (std::is_same_v<Kind, Kinds> || ...);

OperandDescription describe_operand(const Tensor& tensor, std::int64_t batch) {
  OperandDescription operand{.type = tensor.type, .batched = tensor.batched, .extents = tensor.extents};
  while (tensor.offset.value % operand.alignment.value != 0) operand.alignment = {operand.alignment.value / 2};
  if (tensor.batched) operand.extents.insert(operand.extents.begin(), batch);
  return operand;
}

}  // namespace

bool depends_on_layout(const Attributes& attributes) {
  return std::visit(
      []<class Kind>(const Kind&) {
        return is_one_of<Kind, Convolution, ConvolutionBackwardData, ConvolutionBackwardWeights, InstanceNorm,
                         InstanceNormBackward, BatchNorm, BatchNormBackward, Concat, ConcatBackward, Upsample,
                         UpsampleBackward, MaxPool, MaxPoolBackward, GlobalAveragePool, GlobalAveragePoolBackward,
                         ChannelDropout, DiceLoss, DiceLossBackward>;
      },
      attributes);
}

OpDescription describe(const Graph& graph, OpId id, std::int64_t batch) {
  const Op& op = graph.ops[id];
  OpDescription description{.attributes = op.attributes,
                            .layout = depends_on_layout(op.attributes) ? graph.layout : Layout::channels_last,
                            .inputs = {},
                            .outputs = {},
                            .in_place = {}};
  description.batch = batch;
  for (const TensorId input : op.inputs) description.inputs.push_back(describe_operand(graph.tensors[input], batch));
  for (const TensorId output : op.outputs) {
    const Tensor& tensor = graph.tensors[output];
    description.outputs.push_back(describe_operand(tensor, batch));
    int shared = -1;
    for (std::size_t i = 0; i < op.inputs.size(); ++i) {
      const Tensor& input = graph.tensors[op.inputs[i]];
      if (input.buffer == tensor.buffer && input.offset == tensor.offset) shared = static_cast<int>(i);
    }
    description.in_place.push_back(shared);
  }
  return description;
}

std::int64_t elements(const OperandDescription& operand) {
  std::int64_t count = 1;
  for (const std::int64_t extent : operand.extents) count *= extent;
  return count;
}

}  // namespace spillway
