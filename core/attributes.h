#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

// What an op computes. Shapes are logical (channels before space: [C, D, H, W]); how they lie in memory is the
// graph's layout. Behind "->" stand the outputs. [b] may be absent. "in place": the output may live in the input's
// buffer.

namespace spillway {

using Extents = std::vector<std::int64_t>;

/// One extent per spatial dimension; padding is the same before and after.
struct Window {
  Extents kernel, stride, padding;
  friend bool operator==(const Window&, const Window&) = default;
};

/// x [N,C,space], weights [K,C,kernel], [bias [K]] -> y [N,K,space']
struct Convolution {
  static constexpr std::string_view kKind = "convolution";
  Window window;
  friend bool operator==(const Convolution&, const Convolution&) = default;
};
/// dy, weights -> dx
struct ConvolutionBackwardData {
  static constexpr std::string_view kKind = "convolution_backward_data";
  Window window;
  friend bool operator==(const ConvolutionBackwardData&, const ConvolutionBackwardData&) = default;
};
/// x, dy -> dweights, [dbias]
struct ConvolutionBackwardWeights {
  static constexpr std::string_view kKind = "convolution_backward_weights";
  Window window;
  friend bool operator==(const ConvolutionBackwardWeights&, const ConvolutionBackwardWeights&) = default;
};
/// x [N,in], weights [out,in], bias [out] -> y [N,out]. x may be [N,C,1,1,...].
struct Linear {
  static constexpr std::string_view kKind = "linear";
  friend bool operator==(const Linear&, const Linear&) = default;
};
/// dy, weights -> dx
struct LinearBackwardData {
  static constexpr std::string_view kKind = "linear_backward_data";
  friend bool operator==(const LinearBackwardData&, const LinearBackwardData&) = default;
};
/// x, dy -> dweights, dbias
struct LinearBackwardWeights {
  static constexpr std::string_view kKind = "linear_backward_weights";
  friend bool operator==(const LinearBackwardWeights&, const LinearBackwardWeights&) = default;
};
/// x, scale [C], shift [C] -> y, mean [N,C], variance [N,C]. Statistics over space, per sample and channel; variance is
/// biased.
struct InstanceNorm {
  static constexpr std::string_view kKind = "instance_norm";
  double epsilon = 1e-5;
  friend bool operator==(const InstanceNorm&, const InstanceNorm&) = default;
};
/// dy, x, scale, mean, variance -> dx (in place on dy), dscale, dshift
struct InstanceNormBackward {
  static constexpr std::string_view kKind = "instance_norm_backward";
  double epsilon = 1e-5;
  friend bool operator==(const InstanceNormBackward&, const InstanceNormBackward&) = default;
};
/// x, scale [C], shift [C] -> y, mean [C], variance [C]. Statistics over batch and space; variance is biased.
struct BatchNorm {
  static constexpr std::string_view kKind = "batch_norm";
  double epsilon = 1e-5;
  friend bool operator==(const BatchNorm&, const BatchNorm&) = default;
};
/// dy, x, scale, mean, variance -> dx (in place on dy), dscale, dshift
struct BatchNormBackward {
  static constexpr std::string_view kKind = "batch_norm_backward";
  double epsilon = 1e-5;
  friend bool operator==(const BatchNormBackward&, const BatchNormBackward&) = default;
};
/// mean [C], variance [C] (biased, of this step), running_mean, running_variance -> running_mean, running_variance
/// (both in place). running = (1 - momentum) running + momentum x; the variance is made unbiased with
/// `values_per_sample` values per sample of the batch, as PyTorch does. An op of its own, so that running a batch
/// norm again can't update the statistics twice.
struct RunningStatistics {
  static constexpr std::string_view kKind = "running_statistics";
  double momentum = 0.1;
  std::int64_t values_per_sample = 1;  ///< positions of space, so that count = batch * values_per_sample
  friend bool operator==(const RunningStatistics&, const RunningStatistics&) = default;
};
/// x -> y (in place); y = x > 0 ? x : slope * x. Slope 0 is ReLU.
struct LeakyRelu {
  static constexpr std::string_view kKind = "leaky_relu";
  double slope = 0;
  friend bool operator==(const LeakyRelu&, const LeakyRelu&) = default;
};
/// dy, y -> dx (in place on dy)
struct LeakyReluBackward {
  static constexpr std::string_view kKind = "leaky_relu_backward";
  double slope = 0;
  friend bool operator==(const LeakyReluBackward&, const LeakyReluBackward&) = default;
};
/// x -> y (in place)
struct Sigmoid {
  static constexpr std::string_view kKind = "sigmoid";
  friend bool operator==(const Sigmoid&, const Sigmoid&) = default;
};
/// dy, y -> dx (in place on dy)
struct SigmoidBackward {
  static constexpr std::string_view kKind = "sigmoid_backward";
  friend bool operator==(const SigmoidBackward&, const SigmoidBackward&) = default;
};
/// a, b -> a + b (in place on a)
struct Add {
  static constexpr std::string_view kKind = "add";
  friend bool operator==(const Add&, const Add&) = default;
};
/// a [N,A,space], b [N,B,space] -> [N,A+B,space]
struct Concat {
  static constexpr std::string_view kKind = "concat";
  friend bool operator==(const Concat&, const Concat&) = default;
};
/// dc -> da, db
struct ConcatBackward {
  static constexpr std::string_view kKind = "concat_backward";
  friend bool operator==(const ConcatBackward&, const ConcatBackward&) = default;
};
/// x -> y, every spatial extent times `factor`, nearest neighbour
struct Upsample {
  static constexpr std::string_view kKind = "upsample";
  std::int64_t factor = 2;
  friend bool operator==(const Upsample&, const Upsample&) = default;
};
/// dy -> dx, the sum over each block
struct UpsampleBackward {
  static constexpr std::string_view kKind = "upsample_backward";
  std::int64_t factor = 2;
  friend bool operator==(const UpsampleBackward&, const UpsampleBackward&) = default;
};
/// x -> y, choice (uint8, y's shape: which element of the window was the largest)
struct MaxPool {
  static constexpr std::string_view kKind = "max_pool";
  Window window;
  friend bool operator==(const MaxPool&, const MaxPool&) = default;
};
/// dy, choice -> dx
struct MaxPoolBackward {
  static constexpr std::string_view kKind = "max_pool_backward";
  Window window;
  friend bool operator==(const MaxPoolBackward&, const MaxPoolBackward&) = default;
};
/// x [N,C,space] -> y [N,C]
struct GlobalAveragePool {
  static constexpr std::string_view kKind = "global_average_pool";
  friend bool operator==(const GlobalAveragePool&, const GlobalAveragePool&) = default;
};
/// dy [N,C] -> dx [N,C,space]
struct GlobalAveragePoolBackward {
  static constexpr std::string_view kKind = "global_average_pool_backward";
  friend bool operator==(const GlobalAveragePoolBackward&, const GlobalAveragePoolBackward&) = default;
};
/// x, seed (int64 [1]), step (int64 [1]), first_sample (int64 [1]) -> y (in place). Drops whole channels of a sample,
/// scales the rest by 1 / (1 - rate). Keeps channel c of sample n when u >= rate, where u is the first word of Philox
/// 4x32-10 with counter (c, n, salt, step) and key (seed's low word, seed's high word), times 2^-32. n is the sample's
/// index in the global batch: first_sample, the rank's first, plus its index in the rank's batch. Its own gradient: the
/// same op applied to dy.
struct ChannelDropout {
  static constexpr std::string_view kKind = "channel_dropout";
  double rate = 0;
  std::int64_t salt = 0;  ///< which dropout of the network this is
  friend bool operator==(const ChannelDropout&, const ChannelDropout&) = default;
};
/// logits [N,K], labels int64 [N] -> loss [1], probabilities [N,K]. Mean over samples of -log p[label].
struct SoftmaxCrossEntropy {
  static constexpr std::string_view kKind = "softmax_cross_entropy";
  friend bool operator==(const SoftmaxCrossEntropy&, const SoftmaxCrossEntropy&) = default;
};
/// probabilities, labels -> dlogits (in place on probabilities)
struct SoftmaxCrossEntropyBackward {
  static constexpr std::string_view kKind = "softmax_cross_entropy_backward";
  friend bool operator==(const SoftmaxCrossEntropyBackward&, const SoftmaxCrossEntropyBackward&) = default;
};
/// p [N,K,space], labels [N,K,space] (0 or 1, float32) -> loss [1], sums [N,2K].
/// loss = - mean over n, k of (2 sum(y p) + s) / (sum(y) + sum(p) + s); sums[n] = K times sum(y p), then K times sum(y)
/// + sum(p).
struct DiceLoss {
  static constexpr std::string_view kKind = "dice_loss";
  double smoothing = 1e-5;
  friend bool operator==(const DiceLoss&, const DiceLoss&) = default;
};
/// labels, sums -> dp
struct DiceLossBackward {
  static constexpr std::string_view kKind = "dice_loss_backward";
  double smoothing = 1e-5;
  friend bool operator==(const DiceLossBackward&, const DiceLossBackward&) = default;
};
/// step (int64 [1]) -> step + 1 (in place). The first step of a training is step 1 after it.
struct AdvanceStep {
  static constexpr std::string_view kKind = "advance_step";
  friend bool operator==(const AdvanceStep&, const AdvanceStep&) = default;
};
/// w, dw, velocity, learning_rate [1] -> w, velocity (both in place). v = momentum v + dw; w = w - rate v. PyTorch's
/// SGD.
struct SgdMomentum {
  static constexpr std::string_view kKind = "sgd_momentum";
  double momentum = 0.9;
  friend bool operator==(const SgdMomentum&, const SgdMomentum&) = default;
};
/// w, dw, m, v, learning_rate [1], step (int64 [1]) -> w, m, v (in place). Kingma and Ba 2015, algorithm 1, with bias
/// correction by the step's number; epsilon is added to sqrt(v-hat), as PyTorch does.
struct Adam {
  static constexpr std::string_view kKind = "adam";
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  friend bool operator==(const Adam&, const Adam&) = default;
};
/// sum, part, sum, part, ... -> sum, ... (in place): sum = scale * (sum + part). Adds up the gradients of
/// micro-batches.
struct Accumulate {
  static constexpr std::string_view kKind = "accumulate";
  double scale = 1;
  friend bool operator==(const Accumulate&, const Accumulate&) = default;
};
/// g, ... -> g, ... (all in place): each element becomes the mean over all ranks, added in rank order. Every operand
/// covers its buffer. Stands in planned steps only (core/planned_step.h).
struct AllReduce {
  static constexpr std::string_view kKind = "all_reduce";
  friend bool operator==(const AllReduce&, const AllReduce&) = default;
};
/// An op of which only the cost is known: it can be tuned and simulated, not executed.
struct Opaque {
  static constexpr std::string_view kKind = "opaque";
  std::string what;
  friend bool operator==(const Opaque&, const Opaque&) = default;
};

using Attributes =
    std::variant<Convolution, ConvolutionBackwardData, ConvolutionBackwardWeights, Linear, LinearBackwardData,
                 LinearBackwardWeights, InstanceNorm, InstanceNormBackward, BatchNorm, BatchNormBackward,
                 RunningStatistics, LeakyRelu, LeakyReluBackward, Sigmoid, SigmoidBackward, Add, Concat, ConcatBackward,
                 Upsample, UpsampleBackward, MaxPool, MaxPoolBackward, GlobalAveragePool, GlobalAveragePoolBackward,
                 ChannelDropout, SoftmaxCrossEntropy, SoftmaxCrossEntropyBackward, DiceLoss, DiceLossBackward,
                 AdvanceStep, SgdMomentum, Adam, Accumulate, AllReduce, Opaque>;

/// The kind's name as in files: `convolution`.
[[nodiscard]] inline std::string_view kind_of(const Attributes& attributes) {
  return std::visit([](const auto& a) { return a.kKind; }, attributes);
}

}  // namespace spillway
