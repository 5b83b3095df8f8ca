// The forward layers of GraphBuilder.

#include <cmath>
#include <utility>

#include "core/error.h"
#include "models/builder.h"

namespace spillway {

namespace {

// FLOPs per element where an op's arithmetic isn't one operation each: what it adds, multiplies, compares or divides.
constexpr double kNormFlops = 7;     // sum, difference, square, sum; scale, multiply, shift
constexpr double kSigmoidFlops = 4;  // negate, exponential, add, divide
constexpr double kSoftmaxFlops = 5;  // maximum, difference, exponential, sum, divide
constexpr double kDiceFlops = 4;     // product and three sums

Initializer constant(double value) {
  return {Initializer::Kind::constant, value};
}
/// He et al. 2015, section 2.2 (with the leaky ReLU's slope), as a uniform distribution of the same variance.
Initializer kaiming(std::int64_t fan_in, double slope) {
  return {Initializer::Kind::uniform, std::sqrt(6 / ((1 + slope * slope) * static_cast<double>(fan_in)))};
}

double count(const Tensor& tensor) {
  return static_cast<double>(elements_per_sample(tensor));
}

Extents windowed(const Extents& x, std::int64_t channels, const Window& window) {
  Extents result{channels};
  for (std::size_t d = 0; d < window.kernel.size(); ++d) {
    result.push_back((x[d + 1] + 2 * window.padding[d] - window.kernel[d]) / window.stride[d] + 1);
    SPILLWAY_CHECK(result.back() > 0, "a window larger than its input");
  }
  return result;
}

}  // namespace

void GraphBuilder::forward(const std::string& name, Attributes attributes, std::vector<TensorId> inputs,
                           std::vector<TensorId> outputs, double flops_per_sample) {
  op({name, std::move(attributes), std::move(inputs), std::move(outputs), Phase::forward, true, 0, flops_per_sample});
}

TensorId GraphBuilder::elementwise(const std::string& name, Attributes attributes, std::vector<TensorId> inputs,
                                   bool in_place) {
  const TensorId x = inputs.front();
  const Extents extents = at(x).extents;
  const TensorId y = in_place ? view(name + ".out", x, extents) : activation(name + ".out", true, extents);
  forward(name, std::move(attributes), std::move(inputs), {y}, count(at(x)));
  return y;
}

TensorId GraphBuilder::input(const std::string& name, const Extents& extents, ElementType type) {
  return tensor(name, type, true, extents, Role::input);
}

TensorId GraphBuilder::convolution(const std::string& name, TensorId x, const ConvolutionLayer& layer) {
  const Extents in = at(x).extents;
  SPILLWAY_CHECK(in.size() >= 2 && layer.kernel % 2 == 1, name);
  const std::size_t dimensions = in.size() - 1;
  const Window window{Extents(dimensions, layer.kernel), Extents(dimensions, layer.stride),
                      Extents(dimensions, layer.kernel / 2)};
  Extents weight_extents{layer.filters, in[0]};
  weight_extents.insert(weight_extents.end(), window.kernel.begin(), window.kernel.end());
  std::int64_t fan_in = in[0];
  for (const std::int64_t extent : window.kernel) fan_in *= extent;

  std::vector<TensorId> inputs{x};
  inputs.push_back(lasting(name + ".weights", weight_extents, Role::parameter, kaiming(fan_in, layer.slope)));
  if (layer.bias) inputs.push_back(lasting(name + ".bias", {layer.filters}, Role::parameter, constant(0)));
  const TensorId y = activation(name + ".out", true, windowed(in, layer.filters, window));
  forward(name, Convolution{window}, std::move(inputs), {y}, 2 * static_cast<double>(fan_in) * count(at(y)));
  return y;
}

TensorId GraphBuilder::linear(const std::string& name, TensorId x, std::int64_t outputs) {
  const std::int64_t in = elements_per_sample(at(x));
  const TensorId weights = lasting(name + ".weights", {outputs, in}, Role::parameter, kaiming(in, 0));
  const TensorId bias = lasting(name + ".bias", {outputs}, Role::parameter, constant(0));
  const TensorId y = activation(name + ".out", true, {outputs});
  forward(name, Linear{}, {x, weights, bias}, {y}, 2 * static_cast<double>(in * outputs));
  return y;
}

TensorId GraphBuilder::norm(const std::string& name, Attributes attributes, TensorId x, bool statistics_per_sample) {
  const Extents extents = at(x).extents;
  const Extents channels{extents.at(0)};
  const TensorId scale = lasting(name + ".scale", channels, Role::parameter, constant(1));
  const TensorId shift = lasting(name + ".shift", channels, Role::parameter, constant(0));
  const TensorId y = activation(name + ".out", true, extents);
  const TensorId mean = activation(name + ".mean", statistics_per_sample, channels);
  const TensorId variance = activation(name + ".variance", statistics_per_sample, channels);
  forward(name, std::move(attributes), {x, scale, shift}, {y, mean, variance}, kNormFlops * count(at(x)));
  return y;
}

TensorId GraphBuilder::instance_norm(const std::string& name, TensorId x) {
  return norm(name, InstanceNorm{}, x, true);
}

TensorId GraphBuilder::batch_norm(const std::string& name, TensorId x) {
  const TensorId y = norm(name, BatchNorm{}, x, false);
  const std::vector<TensorId> results = graph_.ops.back().outputs;
  const Extents extents = at(x).extents;
  const TensorId running_mean = lasting(name + ".running_mean", {extents[0]}, Role::state, constant(0));
  const TensorId running_variance = lasting(name + ".running_variance", {extents[0]}, Role::state, constant(1));
  // Four operations a value: two products and a sum, and the variance's correction. Never twice in a step.
  op({name + ".running_statistics",
      RunningStatistics{.momentum = 0.1, .values_per_sample = elements_per_sample(at(x)) / extents[0]},
      {results[1], results[2], running_mean, running_variance},
      {running_mean, running_variance},
      Phase::forward,
      false,
      static_cast<double>(8 * extents[0]),
      0});
  return y;
}

TensorId GraphBuilder::leaky_relu_in_place(const std::string& name, TensorId x, double slope) {
  return elementwise(name, LeakyRelu{slope}, {x}, true);
}

TensorId GraphBuilder::sigmoid_in_place(const std::string& name, TensorId x) {
  const TensorId y = elementwise(name, Sigmoid{}, {x}, true);
  graph_.ops.back().flops_per_sample *= kSigmoidFlops;
  return y;
}

TensorId GraphBuilder::channel_dropout(const std::string& name, TensorId x, double rate) {
  // Drawn from the seed, the step's number and the sample's in the global batch: the same on any number of ranks.
  const TensorId seed = state("seed", ElementType::int64, 1);
  const TensorId step = state("step", ElementType::int64, 0);
  const TensorId first_sample = state("first_sample", ElementType::int64, 0);
  return elementwise(name, ChannelDropout{rate, dropouts_++}, {x, seed, step, first_sample}, false);
}

TensorId GraphBuilder::add(const std::string& name, TensorId a, TensorId b) {
  SPILLWAY_CHECK(at(a).extents == at(b).extents, name);
  return elementwise(name, Add{}, {a, b}, false);
}

TensorId GraphBuilder::add_in_place(const std::string& name, TensorId a, TensorId b) {
  SPILLWAY_CHECK(at(a).extents == at(b).extents, name);
  return elementwise(name, Add{}, {a, b}, true);
}

TensorId GraphBuilder::concat(const std::string& name, TensorId a, TensorId b) {
  Extents extents = at(a).extents;
  Extents like_b = extents;
  like_b[0] = at(b).extents[0];
  SPILLWAY_CHECK(at(b).extents == like_b, name);
  extents[0] += like_b[0];
  const TensorId y = activation(name + ".out", true, extents);
  forward(name, Concat{}, {a, b}, {y}, 0);
  return y;
}

TensorId GraphBuilder::upsample(const std::string& name, TensorId x, std::int64_t factor) {
  Extents extents = at(x).extents;
  for (std::size_t d = 1; d < extents.size(); ++d) extents[d] *= factor;
  const TensorId y = activation(name + ".out", true, extents);
  forward(name, Upsample{factor}, {x}, {y}, 0);
  return y;
}

TensorId GraphBuilder::max_pool(const std::string& name, TensorId x, std::int64_t kernel, std::int64_t stride,
                                std::int64_t padding) {
  const Extents in = at(x).extents;
  const std::size_t dimensions = in.size() - 1;
  const Window window{Extents(dimensions, kernel), Extents(dimensions, stride), Extents(dimensions, padding)};
  const Extents extents = windowed(in, in[0], window);
  const TensorId y = activation(name + ".out", true, extents);
  const TensorId choice = tensor(name + ".choice", ElementType::uint8, true, extents, Role::activation);
  forward(name, MaxPool{window}, {x}, {y, choice},
          count(at(y)) * std::pow(static_cast<double>(kernel), static_cast<double>(dimensions)));
  return y;
}

TensorId GraphBuilder::global_average_pool(const std::string& name, TensorId x) {
  const TensorId y = activation(name + ".out", true, {at(x).extents.at(0)});
  forward(name, GlobalAveragePool{}, {x}, {y}, count(at(x)));
  return y;
}

TensorId GraphBuilder::softmax_cross_entropy(const std::string& name, TensorId logits, TensorId labels) {
  SPILLWAY_CHECK(at(logits).extents.size() == 1 && at(labels).type == ElementType::int64 && at(labels).extents.empty(),
                 name);
  const TensorId loss = tensor(name, ElementType::float32, false, {1}, Role::loss);
  const TensorId probabilities = activation(name + ".probabilities", true, at(logits).extents);
  forward(name, SoftmaxCrossEntropy{}, {logits, labels}, {loss, probabilities}, kSoftmaxFlops * count(at(logits)));
  return loss;
}

TensorId GraphBuilder::dice_loss(const std::string& name, TensorId p, TensorId labels) {
  SPILLWAY_CHECK(at(p).extents == at(labels).extents, name);
  const TensorId loss = tensor(name, ElementType::float32, false, {1}, Role::loss);
  const TensorId sums = activation(name + ".sums", true, {2 * at(p).extents.at(0)});
  forward(name, DiceLoss{}, {p, labels}, {loss, sums}, kDiceFlops * count(at(p)));
  return loss;
}

}  // namespace spillway
