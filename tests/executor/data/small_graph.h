#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/graph.h"

namespace spillway {

/// Just enough of a step for its data: inputs, lasting buffers and the ops that say what the data mean.
class SmallGraph {
 public:
  SmallGraph() { graph.name = "small"; }

  TensorId input(const std::string& name, ElementType type, Extents extents) {
    const Tensor tensor{
        .name = name, .buffer = {}, .offset = {}, .type = type, .batched = true, .extents = std::move(extents)};
    return add(
        {.name = name, .role = Role::input, .bytes_fixed = {}, .bytes_per_sample = bytes(tensor, 1), .initializer = {}},
        tensor);
  }
  TensorId lasting(const std::string& name, Role role, ElementType type, Extents extents,
                   std::optional<Initializer> initializer = {}) {
    const Tensor tensor{
        .name = name, .buffer = {}, .offset = {}, .type = type, .batched = false, .extents = std::move(extents)};
    return add({.name = name,
                .role = role,
                .bytes_fixed = bytes(tensor, 1),
                .bytes_per_sample = {},
                .initializer = initializer},
               tensor);
  }
  /// A softmax cross-entropy over `classes` that reads `labels`.
  void read_as_classes(TensorId labels, std::int64_t classes) {
    const Tensor logits{.name = "logits",
                        .buffer = {},
                        .offset = {},
                        .type = ElementType::float32,
                        .batched = true,
                        .extents = {classes}};
    const TensorId id = add({.name = "logits",
                             .role = Role::activation,
                             .bytes_fixed = {},
                             .bytes_per_sample = bytes(logits, 1),
                             .initializer = {}},
                            logits);
    op(SoftmaxCrossEntropy{}, {id, labels}, {});
  }
  void op(Attributes attributes, std::vector<TensorId> inputs, std::vector<TensorId> outputs) {
    Op op;
    op.name = "op" + std::to_string(graph.ops.size());
    op.attributes = std::move(attributes);
    op.inputs = std::move(inputs);
    op.outputs = std::move(outputs);
    graph.ops.push_back(std::move(op));
  }
  [[nodiscard]] BufferId buffer(TensorId tensor) const { return graph.tensors[tensor].buffer; }

  Graph graph;

 private:
  TensorId add(Buffer buffer, Tensor tensor) {
    tensor.buffer = graph.buffers.push_back(std::move(buffer));
    return graph.tensors.push_back(std::move(tensor));
  }
};

}  // namespace spillway
