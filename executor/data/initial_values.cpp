#include "executor/data/initial_values.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "core/error.h"
#include "core/fill.h"

namespace spillway {
namespace {

template <class T>
void fill_constant(double value, std::span<std::byte> destination) {
  const T constant = static_cast<T>(value);
  for (std::size_t at = 0; at < destination.size(); at += sizeof(T))
    std::memcpy(destination.data() + at, &constant, sizeof(T));
}

void fill_constant(ElementType type, double value, std::span<std::byte> destination) {
  switch (type) {
    case ElementType::float32: return fill_constant<float>(value, destination);
    case ElementType::int32: return fill_constant<std::int32_t>(value, destination);
    case ElementType::int64: return fill_constant<std::int64_t>(value, destination);
    case ElementType::uint8: return fill_constant<std::uint8_t>(value, destination);
  }
}

}  // namespace

LastingArray lasting_array(const Graph& graph, BufferId id) {
  const Buffer& buffer = graph.buffers[id];
  SPILLWAY_CHECK(is_lasting(buffer.role), buffer.name);
  std::optional<ElementType> type;
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.buffer != id) continue;
    if (!type) type = tensor.type;
    if (!tensor.batched && tensor.offset == Bytes{0} && bytes(tensor, 1) == bytes(buffer, 1)) {
      return {buffer.name, tensor.type, tensor.extents};
    }
  }
  const ElementType element = type.value_or(ElementType::uint8);
  return {buffer.name, element, {bytes(buffer, 1).value / size_of(element).value}};
}

void fill_initial_values(const Graph& graph, BufferId id, std::uint64_t seed, std::span<std::byte> destination) {
  const Buffer& buffer = graph.buffers[id];
  const LastingArray array = lasting_array(graph, id);
  const auto element = static_cast<std::size_t>(size_of(array.type).value);
  SPILLWAY_CHECK(
      destination.size() == static_cast<std::size_t>(bytes(buffer, 1).value) && destination.size() % element == 0,
      buffer.name);
  if (!buffer.initializer) {
    std::ranges::fill(destination, std::byte{0});
    return;
  }
  const double value = buffer.initializer->value;
  if (buffer.initializer->kind == Initializer::Kind::constant) return fill_constant(array.type, value, destination);
  if (array.type != ElementType::float32) {
    throw input_error("buffer '" + buffer.name +
                      "': found a uniform initializer for whole numbers, expected a constant");
  }
  // In pieces, since `destination` needn't be aligned for floats and a parameter may be large.
  constexpr std::size_t kPiece = 4096;
  std::vector<float> values(kPiece);
  const std::size_t count = destination.size() / element;
  for (std::size_t first = 0; first < count; first += kPiece) {
    const std::span<float> piece(values.data(), std::min(kPiece, count - first));
    fill_uniform(piece, buffer.name, seed, -value, value, first);
    std::memcpy(destination.data() + first * element, piece.data(), piece.size_bytes());
  }
}

}  // namespace spillway
