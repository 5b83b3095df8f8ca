#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/graph.h"

namespace spillway {

/// What a convolution layer is, beside its input.
struct ConvolutionLayer {
  std::int64_t filters = 1;
  std::int64_t kernel = 1;  ///< the same in every dimension, odd; padding is kernel / 2
  std::int64_t stride = 1;
  bool bias = true;
  double slope = 0;  ///< of the leaky ReLU behind it: decides the initial weights' bound
};

/// Writes a Graph: buffers with exact sizes, tensors, ops with their FLOPs.
///
/// Names are dotted paths. A layer `enc2.context.conv1` makes the op of that name, its result `enc2.context.conv1.out`
/// and its parameters `enc2.context.conv1.weights` and `.bias`; a buffer has the name of the tensor it was made for.
/// Layers are methods that take and give tensors; those named `..._in_place` write into their (first) input's buffer.
/// A wrong rank or a mismatch between operands is a failed SPILLWAY_CHECK.
class GraphBuilder {
 public:
  explicit GraphBuilder(std::string name);
  /// Goes on from `graph`.
  explicit GraphBuilder(Graph graph);

  [[nodiscard]] const Graph& graph() const { return graph_; }
  /// Gives the graph away; the builder is empty then.
  [[nodiscard]] Graph take() { return std::move(graph_); }

  // Tensors, buffers, ops.

  /// A tensor in a new buffer of its size. `extents` without the batch.
  TensorId tensor(const std::string& name, ElementType type, bool batched, const Extents& extents, Role role);
  /// A float32 activation.
  TensorId activation(const std::string& name, bool batched, const Extents& extents);
  /// A float32 buffer with a first value.
  TensorId lasting(const std::string& name, const Extents& extents, Role role, Initializer initializer);
  /// The state buffer of one element with this name; made at the first call.
  TensorId state(const std::string& name, ElementType type, double value);
  /// Another tensor at the same place as `of`, with these extents (equally many elements).
  TensorId view(const std::string& name, TensorId of, const Extents& extents);
  /// `count` elements of `of` from element `first`, flat.
  TensorId slice(const std::string& name, TensorId of, std::int64_t first, std::int64_t count);
  OpId op(Op op) { return graph_.ops.push_back(std::move(op)); }

  // Forward layers.

  TensorId input(const std::string& name, const Extents& extents, ElementType type = ElementType::float32);
  TensorId convolution(const std::string& name, TensorId x, const ConvolutionLayer& layer);
  /// `x` [N,in] or [N,C,1,1,...].
  TensorId linear(const std::string& name, TensorId x, std::int64_t outputs);
  TensorId instance_norm(const std::string& name, TensorId x);
  /// With its RunningStatistics.
  TensorId batch_norm(const std::string& name, TensorId x);
  TensorId leaky_relu_in_place(const std::string& name, TensorId x, double slope);
  TensorId sigmoid_in_place(const std::string& name, TensorId x);
  /// Salts count the dropouts of a network from 0.
  TensorId channel_dropout(const std::string& name, TensorId x, double rate);
  TensorId add(const std::string& name, TensorId a, TensorId b);
  /// The sum lies in `a`'s buffer.
  TensorId add_in_place(const std::string& name, TensorId a, TensorId b);
  TensorId concat(const std::string& name, TensorId a, TensorId b);
  TensorId upsample(const std::string& name, TensorId x, std::int64_t factor);
  TensorId max_pool(const std::string& name, TensorId x, std::int64_t kernel, std::int64_t stride,
                    std::int64_t padding);
  TensorId global_average_pool(const std::string& name, TensorId x);
  /// `logits` [N,K], `labels` int64 [N]; the loss is the tensor `name`.
  TensorId softmax_cross_entropy(const std::string& name, TensorId logits, TensorId labels);
  /// `p` and `labels` [N,K,space]; the loss is the tensor `name`.
  TensorId dice_loss(const std::string& name, TensorId p, TensorId labels);

 private:
  TensorId elementwise(const std::string& name, Attributes attributes, std::vector<TensorId> inputs, bool in_place);
  TensorId norm(const std::string& name, Attributes attributes, TensorId x, bool statistics_per_sample);
  void forward(const std::string& name, Attributes attributes, std::vector<TensorId> inputs,
               std::vector<TensorId> outputs, double flops_per_sample);
  [[nodiscard]] const Tensor& at(TensorId tensor) const { return graph_.tensors[tensor]; }

  Graph graph_;
  std::unordered_map<std::string, TensorId> states_;
  std::int64_t dropouts_ = 0;
};

/// Elements for one sample (or all of them, where the tensor isn't batched).
[[nodiscard]] std::int64_t elements_per_sample(const Tensor& tensor);
/// Elements of all parameters.
[[nodiscard]] std::int64_t parameter_count(const Graph& graph);

}  // namespace spillway
