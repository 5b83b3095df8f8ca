#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/graph.h"
#include "models/builder.h"

namespace spillway {

/// A gradient taken out of the pass by the op that uses it up.
struct TakenGradient {
  TensorId tensor;
  bool sole = false;  ///< nobody else waits for it: it may be changed in place
};

/// The state of writing a backward pass: which tensors have a gradient by now, who else holds it, and which values
/// still stand.
///
/// Gradients are *given* to a tensor (a second one is added to the first) and *taken* once by the op that made the
/// tensor. One gradient tensor may be given to several tensors, as the inputs of a sum; as long as two hold it, nobody
/// changes it.
class BackwardPass {
 public:
  /// Appends to `builder`, which holds the buffers and tensors of `forward`.
  BackwardPass(GraphBuilder& builder, const Graph& forward);

  void append_forward(const Op& op);
  /// Appends `forward_op.suffix`. What it writes counts from now on.
  void append_backward(const Op& forward_op, std::string_view suffix, Attributes attributes,
                       std::vector<TensorId> inputs, std::vector<TensorId> outputs, double flops_factor);

  /// Whether the loss depends on parameters through this tensor.
  [[nodiscard]] bool wants_gradient(TensorId x) const { return sensitive_[x.index()]; }
  [[nodiscard]] bool has_gradient(TensorId x) const { return gradients_.contains(x); }
  /// Requires: has_gradient(y).
  TakenGradient take(TensorId y);
  /// Gives one gradient to all of `xs` that want it; while several hold it, nobody changes it.
  void give(const std::vector<TensorId>& xs, TensorId gradient);

  /// `x`, for an op that needs its value of the forward pass. Requires: no later op has overwritten it.
  [[nodiscard]] TensorId saved(TensorId x) const;
  /// A new tensor `x.grad` in a buffer of its own (Role::gradient for a parameter).
  TensorId new_gradient(TensorId x);
  /// A tensor `x.grad` in the buffer of `dy` if that has a sole owner, else in a new one.
  TensorId gradient_over(const TakenGradient& dy, TensorId x);
  /// A tensor `x.grad` in the buffer of the forward tensor `over`, whose value is dead after this.
  TensorId gradient_over_value(TensorId over, TensorId x);

  /// Says that an op outside this class overwrites `tensor`.
  void note_write(TensorId tensor);
  [[nodiscard]] const Tensor& tensor(TensorId id) const { return builder_.graph().tensors[id]; }

 private:
  [[nodiscard]] BufferId buffer(TensorId id) const { return tensor(id).buffer; }
  std::string gradient_name(TensorId x);
  void add(TensorId x, TensorId first, TensorId second);

  GraphBuilder& builder_;
  std::vector<bool> sensitive_;                       // by forward tensor
  std::unordered_map<TensorId, TensorId> gradients_;  // by forward tensor
  std::unordered_map<BufferId, int> holders_;         // how many of gradients_ lie in this buffer
  std::unordered_map<BufferId, int> writes_;          // ops so far that wrote the buffer
  std::unordered_map<TensorId, int> written_at_;      // writes_ of its buffer when the tensor was made
  std::unordered_map<TensorId, int> made_, sums_;     // gradient tensors made for it and sums of them, for their names
};

}  // namespace spillway
