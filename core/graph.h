#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/attributes.h"
#include "core/element_type.h"
#include "core/ids.h"
#include "core/units.h"

namespace spillway {

/// What a buffer is for. Spelled in files as here.
enum class Role { input, parameter, gradient, activation, optimizer_state, state, workspace, loss };

/// Whether a buffer of this role outlives the step: it starts and ends there with a value.
[[nodiscard]] constexpr bool is_lasting(Role role) {
  return role == Role::parameter || role == Role::optimizer_state || role == Role::state;
}

/// What a lasting buffer holds before the first step.
struct Initializer {
  enum class Kind { constant, uniform };
  Kind kind = Kind::constant;
  double value = 0;  ///< the constant, or the bound: uniform in [-value, value)
  friend bool operator==(const Initializer&, const Initializer&) = default;
};

/// A piece of memory with one lifetime. Its size is exact: bytes_fixed + bytes_per_sample * batch.
struct Buffer {
  std::string name;
  Role role = Role::activation;
  Bytes bytes_fixed;
  Bytes bytes_per_sample;
  std::optional<Initializer> initializer;  ///< lasting buffers only
  /// In steps of several micro-batches (core/micro_batches.h): the traced buffer that this one stands for in a later
  /// pass, and which one, from 0. Invalid for the traced buffers.
  BufferId copy_of = {};
  std::int64_t micro_batch = 0;
  friend bool operator==(const Buffer&, const Buffer&) = default;
};

/// An operand: a shape and a type, at a place in a buffer. Several tensors may live in one buffer (in-place results,
/// slices).
struct Tensor {
  std::string name;
  BufferId buffer;
  Bytes offset;  ///< from the buffer's start
  ElementType type = ElementType::float32;
  bool batched = false;  ///< the first extent is the batch, and `extents` holds the others
  Extents extents;       ///< logical: channels before space
  friend bool operator==(const Tensor&, const Tensor&) = default;
};

enum class Phase { forward, backward, update };

/// One kernel-level operation of the step. It reads the buffers of its inputs and writes those of its outputs.
struct Op {
  std::string name;
  Attributes attributes;
  std::vector<TensorId> inputs, outputs;
  Phase phase = Phase::forward;
  bool recomputable = false;  ///< running it again with the same operands is allowed
  double flops_fixed = 0, flops_per_sample = 0;
  friend bool operator==(const Op&, const Op&) = default;
};

/// How activations lie in memory. Parameters always lie in their canonical, channels-first order.
enum class Layout { channels_last, channels_first };
/// As in files: `channels_last`.
[[nodiscard]] constexpr std::string_view to_text(Layout layout) {
  return layout == Layout::channels_last ? "channels_last" : "channels_first";
}

/// One training step in issue order.
struct Graph {
  std::string name;
  Layout layout = Layout::channels_last;
  IdVector<BufferId, Buffer> buffers;
  IdVector<TensorId, Tensor> tensors;
  IdVector<OpId, Op> ops;
  friend bool operator==(const Graph&, const Graph&) = default;
};

[[nodiscard]] inline Bytes bytes(const Buffer& buffer, std::int64_t batch) {
  return buffer.bytes_fixed + buffer.bytes_per_sample * batch;
}
/// Elements of the tensor at this batch.
[[nodiscard]] std::int64_t elements(const Tensor& tensor, std::int64_t batch);
[[nodiscard]] inline Bytes bytes(const Tensor& tensor, std::int64_t batch) {
  return size_of(tensor.type) * elements(tensor, batch);
}
[[nodiscard]] inline double flops(const Op& op, std::int64_t batch) {
  return op.flops_fixed + op.flops_per_sample * static_cast<double>(batch);
}
/// Bytes of all operands, each once: what the op must move at least.
[[nodiscard]] Bytes bytes_moved(const Graph& graph, OpId op, std::int64_t batch);

/// Whether `op` reads / writes `buffer`. An output that covers only a part of its buffer counts as reading it too,
/// since the rest of the old value stays.
[[nodiscard]] bool reads(const Graph& graph, OpId op, BufferId buffer, std::int64_t batch);
[[nodiscard]] bool writes(const Graph& graph, OpId op, BufferId buffer);

/// The buffers that the op touches, each once: inputs first, in operand order.
[[nodiscard]] std::vector<BufferId> touched(const Graph& graph, OpId op);

/// For each op the ops that must run before it: read after write, write after write, write after read, by buffers. One
/// step, no wrap.
[[nodiscard]] IdVector<OpId, std::vector<OpId>> dependences(const Graph& graph, std::int64_t batch);

/// For each op its level: layers of Kahn's topological sort of `edges` (level 0 waits for nothing).
/// Throws Error (exit 2) naming the ops of a cycle, if there is one.
[[nodiscard]] IdVector<OpId, std::uint32_t> levels(const Graph& graph, const IdVector<OpId, std::vector<OpId>>& edges);

/// What a file may get wrong although it parses: operands outside their buffers, names used twice, reads before the
/// first write, writes to inputs. One line each; empty means well-formed.
[[nodiscard]] std::vector<std::string> mistakes(const Graph& graph);

}  // namespace spillway
