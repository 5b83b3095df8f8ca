#include "models/autodiff/gradient_rules.h"

#include <variant>

#include "core/error.h"

namespace spillway {

namespace {

// One rule per kind of forward op. Order within a rule: parameters' gradients first, so that what only they need (the
// op's input) is dead before the input's gradient takes memory.

void rule(BackwardPass& pass, const Op& op, const Convolution& convolution) {
  const TensorId x = op.inputs[0], weights = op.inputs[1], dy = pass.take(op.outputs[0]).tensor;
  std::vector<TensorId> results{pass.new_gradient(weights)};
  if (op.inputs.size() > 2) results.push_back(pass.new_gradient(op.inputs[2]));
  pass.append_backward(op, "backward_weights", ConvolutionBackwardWeights{convolution.window}, {pass.saved(x), dy},
                       results, 1);
  for (std::size_t i = 0; i < results.size(); ++i) pass.give({op.inputs[i + 1]}, results[i]);
  if (!pass.wants_gradient(x)) return;
  const TensorId dx = pass.new_gradient(x);
  pass.append_backward(op, "backward_data", ConvolutionBackwardData{convolution.window}, {dy, pass.saved(weights)},
                       {dx}, 1);
  pass.give({x}, dx);
}

void rule(BackwardPass& pass, const Op& op, const Linear&) {
  const TensorId x = op.inputs[0], weights = op.inputs[1], bias = op.inputs[2], dy = pass.take(op.outputs[0]).tensor;
  const TensorId dweights = pass.new_gradient(weights), dbias = pass.new_gradient(bias);
  pass.append_backward(op, "backward_weights", LinearBackwardWeights{}, {pass.saved(x), dy}, {dweights, dbias}, 1);
  pass.give({weights}, dweights);
  pass.give({bias}, dbias);
  if (!pass.wants_gradient(x)) return;
  const TensorId dx = pass.new_gradient(x);
  pass.append_backward(op, "backward_data", LinearBackwardData{}, {dy, pass.saved(weights)}, {dx}, 1);
  pass.give({x}, dx);
}

void norm_rule(BackwardPass& pass, const Op& op, Attributes backward) {
  const TensorId x = op.inputs[0], scale = op.inputs[1], shift = op.inputs[2];
  const TensorId mean = op.outputs[1], variance = op.outputs[2];
  const TakenGradient dy = pass.take(op.outputs[0]);
  const TensorId dx = pass.gradient_over(dy, x);
  const TensorId dscale = pass.new_gradient(scale), dshift = pass.new_gradient(shift);
  pass.append_backward(op, "backward", std::move(backward),
                       {dy.tensor, pass.saved(x), pass.saved(scale), pass.saved(mean), pass.saved(variance)},
                       {dx, dscale, dshift}, 2);
  pass.give({scale}, dscale);
  pass.give({shift}, dshift);
  pass.give({x}, dx);
}
void rule(BackwardPass& pass, const Op& op, const InstanceNorm& norm) {
  norm_rule(pass, op, InstanceNormBackward{norm.epsilon});
}
void rule(BackwardPass& pass, const Op& op, const BatchNorm& norm) {
  norm_rule(pass, op, BatchNormBackward{norm.epsilon});
}

/// For functions whose derivative follows from their result.
void result_rule(BackwardPass& pass, const Op& op, Attributes backward) {
  const TakenGradient dy = pass.take(op.outputs[0]);
  const TensorId dx = pass.gradient_over(dy, op.inputs[0]);
  pass.append_backward(op, "backward", std::move(backward), {dy.tensor, pass.saved(op.outputs[0])}, {dx}, 1);
  pass.give({op.inputs[0]}, dx);
}
void rule(BackwardPass& pass, const Op& op, const LeakyRelu& relu) {
  result_rule(pass, op, LeakyReluBackward{relu.slope});
}
void rule(BackwardPass& pass, const Op& op, const Sigmoid&) {
  result_rule(pass, op, SigmoidBackward{});
}

void rule(BackwardPass& pass, const Op& op, const Add&) {
  const TensorId dy = pass.take(op.outputs[0]).tensor;
  pass.give({op.inputs[0], op.inputs[1]}, dy);
}

void rule(BackwardPass& pass, const Op& op, const Concat&) {
  const TensorId dy = pass.take(op.outputs[0]).tensor;
  const TensorId da = pass.new_gradient(op.inputs[0]), db = pass.new_gradient(op.inputs[1]);
  pass.append_backward(op, "backward", ConcatBackward{}, {dy}, {da, db}, 1);
  pass.give({op.inputs[0]}, da);
  pass.give({op.inputs[1]}, db);
}

void rule(BackwardPass& pass, const Op& op, const Upsample& upsample) {
  const TensorId dy = pass.take(op.outputs[0]).tensor, dx = pass.new_gradient(op.inputs[0]);
  pass.append_backward(op, "backward", UpsampleBackward{upsample.factor}, {dy}, {dx}, 1);
  pass.give({op.inputs[0]}, dx);
}

void rule(BackwardPass& pass, const Op& op, const MaxPool& pool) {
  const TensorId dy = pass.take(op.outputs[0]).tensor, dx = pass.new_gradient(op.inputs[0]);
  pass.append_backward(op, "backward", MaxPoolBackward{pool.window}, {dy, pass.saved(op.outputs[1])}, {dx}, 1);
  pass.give({op.inputs[0]}, dx);
}

void rule(BackwardPass& pass, const Op& op, const GlobalAveragePool&) {
  const TensorId dy = pass.take(op.outputs[0]).tensor, dx = pass.new_gradient(op.inputs[0]);
  pass.append_backward(op, "backward", GlobalAveragePoolBackward{}, {dy}, {dx}, 1);
  pass.give({op.inputs[0]}, dx);
}

void rule(BackwardPass& pass, const Op& op, const ChannelDropout& dropout) {
  const TakenGradient dy = pass.take(op.outputs[0]);
  const TensorId dx = pass.gradient_over(dy, op.inputs[0]);
  pass.append_backward(op, "backward", dropout,
                       {dy.tensor, pass.saved(op.inputs[1]), pass.saved(op.inputs[2]), pass.saved(op.inputs[3])}, {dx},
                       1);
  pass.give({op.inputs[0]}, dx);
}

void rule(BackwardPass& pass, const Op& op, const SoftmaxCrossEntropy&) {
  // Nobody else can want the probabilities: they are this op's own.
  const TensorId logits = op.inputs[0], labels = op.inputs[1], probabilities = pass.saved(op.outputs[1]);
  const TensorId dlogits = pass.gradient_over_value(probabilities, logits);
  pass.append_backward(op, "backward", SoftmaxCrossEntropyBackward{}, {probabilities, pass.saved(labels)}, {dlogits},
                       0.4);
  pass.give({logits}, dlogits);
}

void rule(BackwardPass& pass, const Op& op, const DiceLoss& loss) {
  const TensorId p = op.inputs[0], labels = op.inputs[1], dp = pass.new_gradient(p);
  pass.append_backward(op, "backward", DiceLossBackward{loss.smoothing},
                       {pass.saved(labels), pass.saved(op.outputs[1])}, {dp}, 0.5);
  pass.give({p}, dp);
}

template <class Kind>
void rule(BackwardPass&, const Op& op, const Kind&) {
  report_bug("a gradient rule exists", __FILE__, __LINE__,
             op.name + ": no gradient rule for " + std::string(Kind::kKind));
}

}  // namespace

void append_gradient(BackwardPass& pass, const Op& op) {
  std::visit([&](const auto& attributes) { rule(pass, op, attributes); }, op.attributes);
}

}  // namespace spillway
