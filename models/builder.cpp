#include "models/builder.h"

#include <utility>

#include "core/error.h"

namespace spillway {

namespace {

std::int64_t product(const Extents& extents) {
  std::int64_t result = 1;
  for (const std::int64_t extent : extents) result *= extent;
  return result;
}

}  // namespace

GraphBuilder::GraphBuilder(std::string name) {
  graph_.name = std::move(name);
}

GraphBuilder::GraphBuilder(Graph graph) : graph_(std::move(graph)) {
  for (const TensorId id : graph_.tensors.ids()) {
    if (graph_.buffers[at(id).buffer].role == Role::state) states_.emplace(at(id).name, id);
  }
}

TensorId GraphBuilder::tensor(const std::string& name, ElementType type, bool batched, const Extents& extents,
                              Role role) {
  const Bytes size = size_of(type) * product(extents);
  Buffer buffer{name, role, {}, {}, {}};
  (batched ? buffer.bytes_per_sample : buffer.bytes_fixed) = size;
  const BufferId id = graph_.buffers.push_back(std::move(buffer));
  return graph_.tensors.push_back({name, id, {}, type, batched, extents});
}

TensorId GraphBuilder::activation(const std::string& name, bool batched, const Extents& extents) {
  return tensor(name, ElementType::float32, batched, extents, Role::activation);
}

TensorId GraphBuilder::lasting(const std::string& name, const Extents& extents, Role role, Initializer initializer) {
  SPILLWAY_CHECK(is_lasting(role), name);
  const TensorId id = tensor(name, ElementType::float32, false, extents, role);
  graph_.buffers[at(id).buffer].initializer = initializer;
  return id;
}

TensorId GraphBuilder::state(const std::string& name, ElementType type, double value) {
  const auto [found, made] = states_.try_emplace(name);
  if (made) {
    found->second = tensor(name, type, false, {1}, Role::state);
    graph_.buffers[at(found->second).buffer].initializer = Initializer{Initializer::Kind::constant, value};
  }
  return found->second;
}

TensorId GraphBuilder::view(const std::string& name, TensorId of, const Extents& extents) {
  SPILLWAY_CHECK(product(extents) == elements_per_sample(at(of)), name);
  Tensor result = at(of);
  result.name = name;
  result.extents = extents;
  return graph_.tensors.push_back(std::move(result));
}

TensorId GraphBuilder::slice(const std::string& name, TensorId of, std::int64_t first, std::int64_t count) {
  const Tensor& whole = at(of);
  SPILLWAY_CHECK(!whole.batched && first >= 0 && first + count <= elements_per_sample(whole), name);
  return graph_.tensors.push_back(
      {name, whole.buffer, whole.offset + size_of(whole.type) * first, whole.type, false, Extents{count}});
}

std::int64_t elements_per_sample(const Tensor& tensor) {
  return product(tensor.extents);
}

std::int64_t parameter_count(const Graph& graph) {
  Bytes total;
  for (const Buffer& buffer : graph.buffers) {
    if (buffer.role == Role::parameter) total += buffer.bytes_fixed;
  }
  return total.value / size_of(ElementType::float32).value;
}

}  // namespace spillway
