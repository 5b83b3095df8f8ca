#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/graph.h"

namespace spillway {

/// A lasting buffer seen as one array: the tensor that covers it, in the parameters' canonical order.
struct LastingArray {
  std::string name;  ///< the buffer's
  ElementType type = ElementType::float32;
  Extents extents;
};

/// Where several tensors cover the buffer, the first counts; where none does, it is one row of the first tensor's type.
/// Requires: the buffer is lasting.
[[nodiscard]] LastingArray lasting_array(const Graph& graph, BufferId buffer);

/// Writes what the buffer holds before the first step: its initializer's constant, or fill_uniform(name of the buffer,
/// seed, -value, value); zeros without an initializer. Requires: a lasting buffer, `destination` is as large as it.
void fill_initial_values(const Graph& graph, BufferId buffer, std::uint64_t seed, std::span<std::byte> destination);

}  // namespace spillway
