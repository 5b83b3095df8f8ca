#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/graph.h"

namespace spillway {

/// An input of a step, as a source of batches must know it.
struct InputDescription {
  TensorId tensor;
  std::string name;
  ElementType type = ElementType::float32;
  Extents extents;             ///< of one sample, logical: channels before space
  bool channels_last = false;  ///< a sample lies as [space, channels] in memory
  std::int64_t classes = 0;    ///< above 0: whole numbers in [0, classes), since a softmax cross-entropy reads them
  bool binary = false;         ///< 0 or 1, since a Dice loss reads them as labels

  /// Elements of one sample.
  [[nodiscard]] std::int64_t elements() const;
};

/// The inputs of the graph, one for each buffer of that role (its first tensor that covers it), by tensor id. Copies
/// that later micro-batches have of them aren't listed.
/// Throws Error (exit 2) naming an input that has no batch dimension.
[[nodiscard]] std::vector<InputDescription> describe_inputs(const Graph& graph);

/// Writes a sample, given in logical order, to where the device wants it. Requires: `from` and `to` are one sample
/// long.
void place_sample(const InputDescription& input, std::span<const std::byte> from, std::span<std::byte> to);

}  // namespace spillway
