#include "core/gradients.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace spillway {

std::vector<BufferId> parameter_gradients(const Graph& graph) {
  IdVector<BufferId, char> is_read(graph.buffers.size(), 0);
  for (const Op& op : graph.ops) {
    if (op.phase != Phase::update) continue;
    for (const TensorId input : op.inputs) is_read[graph.tensors[input].buffer] = 1;
  }
  const IdVector<BufferId, OpId> completed = last_writes_before_updates(graph);
  std::vector<BufferId> gradients;
  for (const BufferId buffer : graph.buffers.ids()) {
    const bool is_made = graph.buffers[buffer].role == Role::gradient && completed[buffer].valid();
    if (is_made && is_read[buffer] != 0) gradients.push_back(buffer);
  }
  std::ranges::stable_sort(gradients, {}, [&](BufferId buffer) { return completed[buffer]; });
  return gradients;
}

IdVector<BufferId, OpId> last_writes_before_updates(const Graph& graph) {
  IdVector<BufferId, OpId> last(graph.buffers.size());
  for (const OpId id : graph.ops.ids()) {
    if (graph.ops[id].phase == Phase::update) continue;
    for (const TensorId output : graph.ops[id].outputs) last[graph.tensors[output].buffer] = id;
  }
  return last;
}

TensorId whole_tensor(const Graph& graph, BufferId gradient) {
  for (const TensorId id : graph.tensors.ids()) {
    const Tensor& tensor = graph.tensors[id];
    if (tensor.buffer == gradient && !tensor.batched && bytes(tensor, 1) == graph.buffers[gradient].bytes_fixed)
      return id;
  }
  throw input_error(
      fmt::format("gradient '{}' can't be added up: no tensor covers it whole", graph.buffers[gradient].name));
}

}  // namespace spillway
