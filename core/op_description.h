#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/graph.h"

namespace spillway {

/// More than this no kernel asks of an operand's address. Buffers begin at multiples of a device's own alignment, which
/// may be less: kernels for such a device ask for less.
constexpr Bytes kMostAlignment{256};

/// One operand as a kernel sees it: logical extents with the batch in front where there is one.
struct OperandDescription {
  ElementType type = ElementType::float32;
  bool batched = false;
  Extents extents;
  /// Of the address, a power of two: what the tensor's offset leaves of its buffer's kMostAlignment.
  Bytes alignment = kMostAlignment;
  friend bool operator==(const OperandDescription&, const OperandDescription&) = default;
};

/// Whether ops of this kind run differently in another layout; the others see only how many numbers there are, or
/// operands without space.
[[nodiscard]] bool depends_on_layout(const Attributes& attributes);

/// Everything that decides what a kernel does and costs; two ops with equal descriptions are timed once.
struct OpDescription {
  Attributes attributes;
  Layout layout = Layout::channels_last;  ///< channels_last too where the kind doesn't depend on it
  std::vector<OperandDescription> inputs, outputs;
  std::vector<int> in_place;  ///< per output: the input whose bytes it shares, or -1
  std::int64_t batch = 1;     ///< for ops whose operands have no batch themselves
  friend bool operator==(const OpDescription&, const OpDescription&) = default;
};

[[nodiscard]] OpDescription describe(const Graph& graph, OpId op, std::int64_t batch);
/// Elements of the operand.
[[nodiscard]] std::int64_t elements(const OperandDescription& operand);
[[nodiscard]] inline Bytes bytes(const OperandDescription& operand) {
  return size_of(operand.type) * elements(operand);
}

}  // namespace spillway
