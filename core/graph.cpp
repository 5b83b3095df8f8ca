#include "core/graph.h"

#include <algorithm>

namespace spillway {

std::int64_t elements(const Tensor& tensor, std::int64_t batch) {
  std::int64_t count = tensor.batched ? batch : 1;
  for (const std::int64_t extent : tensor.extents) count *= extent;
  return count;
}

std::vector<BufferId> touched(const Graph& graph, OpId op) {
  std::vector<BufferId> buffers;
  const auto add = [&](TensorId tensor) {
    const BufferId buffer = graph.tensors[tensor].buffer;
    if (std::ranges::find(buffers, buffer) == buffers.end()) buffers.push_back(buffer);
  };
  std::ranges::for_each(graph.ops[op].inputs, add);
  std::ranges::for_each(graph.ops[op].outputs, add);
  return buffers;
}

bool writes(const Graph& graph, OpId op, BufferId buffer) {
  return std::ranges::any_of(graph.ops[op].outputs, [&](TensorId t) { return graph.tensors[t].buffer == buffer; });
}

bool reads(const Graph& graph, OpId op, BufferId buffer, std::int64_t batch) {
  const auto lives_here = [&](TensorId t) { return graph.tensors[t].buffer == buffer; };
  if (std::ranges::any_of(graph.ops[op].inputs, lives_here)) return true;
  Bytes written;
  for (const TensorId output : graph.ops[op].outputs) {
    if (lives_here(output)) written += bytes(graph.tensors[output], batch);
  }
  return written.value > 0 && written < bytes(graph.buffers[buffer], batch);
}

Bytes bytes_moved(const Graph& graph, OpId op, std::int64_t batch) {
  Bytes sum;
  for (const TensorId tensor : graph.ops[op].inputs) sum += bytes(graph.tensors[tensor], batch);
  for (const TensorId tensor : graph.ops[op].outputs) sum += bytes(graph.tensors[tensor], batch);
  return sum;
}

}  // namespace spillway
