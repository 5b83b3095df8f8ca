#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/graph.h"

namespace spillway {

/// A graph of opaque ops, line by line.
struct SmallGraph {
  Graph graph;

  SmallGraph() { graph.name = "small"; }

  /// A tensor of `elements` floats that fills a buffer of its name.
  TensorId tensor(const std::string& name, Role role = Role::activation, std::int64_t elements = 4) {
    return view(
        name,
        graph.buffers.push_back(
            {.name = name, .role = role, .bytes_fixed = {4 * elements}, .bytes_per_sample = {}, .initializer = {}}),
        {}, elements);
  }
  /// Another tensor in a buffer.
  TensorId view(const std::string& name, BufferId buffer, Bytes offset, std::int64_t elements) {
    return graph.tensors.push_back({.name = name,
                                    .buffer = buffer,
                                    .offset = offset,
                                    .type = ElementType::float32,
                                    .batched = false,
                                    .extents = {elements}});
  }
  [[nodiscard]] BufferId buffer(TensorId id) const { return graph.tensors[id].buffer; }
  OpId op(const std::string& name, std::vector<TensorId> inputs, std::vector<TensorId> outputs) {
    return graph.ops.push_back(
        {.name = name, .attributes = Opaque{}, .inputs = std::move(inputs), .outputs = std::move(outputs)});
  }
};

}  // namespace spillway
