#include "executor/data/inputs.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "core/error.h"
#include "executor/data/channels_last.h"

namespace spillway {
namespace {

bool covers_buffer(const Graph& graph, const Tensor& tensor) {
  return tensor.offset == Bytes{0} && bytes(tensor, 1) == bytes(graph.buffers[tensor.buffer], 1);
}

/// What the ops that read the input make of its values.
void look_at_readers(const Graph& graph, InputDescription& input) {
  for (const Op& op : graph.ops) {
    if (op.inputs.size() < 2 || op.inputs[1] != input.tensor) continue;
    if (std::holds_alternative<SoftmaxCrossEntropy>(op.attributes))
      input.classes = graph.tensors[op.inputs[0]].extents.back();
    if (std::holds_alternative<DiceLoss>(op.attributes)) input.binary = true;
  }
}

}  // namespace

std::int64_t InputDescription::elements() const {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies{});
}

std::vector<InputDescription> describe_inputs(const Graph& graph) {
  std::vector<InputDescription> inputs;
  std::set<BufferId> seen;
  for (const TensorId id : graph.tensors.ids()) {
    const Tensor& tensor = graph.tensors[id];
    const Buffer& buffer = graph.buffers[tensor.buffer];
    if (buffer.role != Role::input || buffer.copy_of.valid() || !covers_buffer(graph, tensor)) continue;
    if (!seen.insert(tensor.buffer).second) continue;
    if (!tensor.batched) throw input_error("input '" + tensor.name + "': found no batch dimension, expected one");
    InputDescription input{.tensor = id, .name = tensor.name, .type = tensor.type, .extents = tensor.extents};
    input.channels_last = graph.layout == Layout::channels_last && tensor.extents.size() > 1;
    look_at_readers(graph, input);
    inputs.push_back(std::move(input));
  }
  return inputs;
}

void place_sample(const InputDescription& input, std::span<const std::byte> from, std::span<std::byte> to) {
  if (input.channels_last) {
    const std::int64_t channels = input.extents.front();
    const std::int64_t positions = channels == 0 ? 0 : input.elements() / channels;
    return to_channels_last(from, channels, positions, size_of(input.type), to);
  }
  SPILLWAY_CHECK(from.size() == to.size(), input.name);
  std::ranges::copy(from, to.begin());
}

}  // namespace spillway
