#include <algorithm>
#include <cmath>

#include "tests/device/kernel_case.h"

namespace spillway {

namespace {

using Inputs = std::vector<TestTensor>;

void choose_labels(TestTensor& labels, std::int64_t classes) {
  for (std::size_t n = 0; n < labels.values.size(); ++n) {
    labels.values[n] = static_cast<double>((n * 7 + 3) % static_cast<std::size_t>(classes));
  }
}

void add_cross_entropy_cases(const std::string& name, std::int64_t samples, std::int64_t classes, double logit_size,
                             std::vector<KernelCase>& cases) {
  const OperandDescription logits = activation({samples, classes}),
                           labels = operand(ElementType::int64, true, {samples}), loss = parameter({1});
  const auto width = static_cast<std::size_t>(classes);
  cases.push_back({.name = "SoftmaxCrossEntropy" + name,
                   .op = describe_op(SoftmaxCrossEntropy{}, {logits, labels}, {loss, logits}),
                   .prepare =
                       [=](Inputs& in) {
                         for (double& value : in[0].values) value *= logit_size;
                         choose_labels(in[1], classes);
                       },
                   .reference =
                       [=](const Inputs& in) {
                         std::vector<TestTensor> out = {zeros(loss), zeros(logits)};
                         for (std::size_t n = 0; n < in[1].values.size(); ++n) {
                           const auto row = in[0].values.begin() + static_cast<std::ptrdiff_t>(n * width);
                           const double largest = *std::max_element(row, row + static_cast<std::ptrdiff_t>(width));
                           double sum = 0;
                           for (std::size_t k = 0; k < width; ++k)
                             sum += std::exp(in[0].values[n * width + k] - largest);
                           for (std::size_t k = 0; k < width; ++k) {
                             out[1].values[n * width + k] = std::exp(in[0].values[n * width + k] - largest) / sum;
                           }
                           const auto label = static_cast<std::size_t>(in[1].values[n]);
                           out[0].values[0] += (largest + std::log(sum) - in[0].values[n * width + label]) /
                                               static_cast<double>(samples);
                         }
                         return out;
                       },
                   .tolerance = 2e-5});
  cases.push_back({.name = "SoftmaxCrossEntropyBackward" + name,
                   .op = describe_op(SoftmaxCrossEntropyBackward{}, {logits, labels}, {logits}),
                   .prepare =
                       [=](Inputs& in) {
                         for (double& value : in[0].values) value = std::abs(value) / static_cast<double>(classes);
                         choose_labels(in[1], classes);
                       },
                   .reference =
                       [=](const Inputs& in) {
                         TestTensor out = zeros(logits);
                         for (std::size_t i = 0; i < out.values.size(); ++i) {
                           const bool is_label = i % width == static_cast<std::size_t>(in[1].values[i / width]);
                           out.values[i] = (in[0].values[i] - (is_label ? 1 : 0)) / static_cast<double>(samples);
                         }
                         return std::vector<TestTensor>{out};
                       },
                   .in_place = {{0}}});
}

void add_dice_cases(const std::string& name, const Extents& extents, std::vector<KernelCase>& cases) {
  constexpr double kSmoothing = 0.5;
  const OperandDescription p = activation(extents), sums = activation({extents[0], 2 * extents[1]}),
                           loss = parameter({1});
  const Shape shape(extents);
  const double mean = 1 / static_cast<double>(shape.n * shape.c);
  const auto product_at = [=](std::int64_t n, std::int64_t k) { return static_cast<std::size_t>(n * 2 * shape.c + k); };
  const auto total_at = [=](std::int64_t n, std::int64_t k) {
    return static_cast<std::size_t>(n * 2 * shape.c + shape.c + k);
  };
  cases.push_back({.name = "DiceLoss" + name,
                   .op = describe_op(DiceLoss{kSmoothing}, {p, p}, {loss, sums}),
                   .prepare =
                       [](Inputs& in) {
                         for (double& value : in[0].values) value = std::abs(value);
                         for (double& value : in[1].values) value = value > 0.4 ? 1 : 0;
                       },
                   .reference =
                       [=](const Inputs& in) {
                         std::vector<TestTensor> out = {zeros(loss), zeros(sums)};
                         for (std::int64_t n = 0; n < shape.n; ++n) {
                           for (std::int64_t k = 0; k < shape.c; ++k) {
                             double product = 0, total = 0;
                             for (std::int64_t i = 0; i < shape.positions(); ++i) {
                               const double value = in[0].values[shape.at(n, k, i)],
                                            label = in[1].values[shape.at(n, k, i)];
                               product += value * label, total += value + label;
                             }
                             out[1].values[product_at(n, k)] = product, out[1].values[total_at(n, k)] = total;
                             out[0].values[0] -= mean * (2 * product + kSmoothing) / (total + kSmoothing);
                           }
                         }
                         return out;
                       },
                   .tolerance = 2e-6});  // blocks of 64 terms in float, the rest in double
  cases.push_back({.name = "DiceLossBackward" + name,
                   .op = describe_op(DiceLossBackward{kSmoothing}, {p, sums}, {p}),
                   .prepare =
                       [=](Inputs& in) {
                         for (double& value : in[0].values) value = value > 0.4 ? 1 : 0;
                         for (double& value : in[1].values) value = 5 + 3 * value;
                       },
                   .reference =
                       [=](const Inputs& in) {
                         TestTensor out = zeros(p);
                         for (std::int64_t n = 0; n < shape.n; ++n) {
                           for (std::int64_t k = 0; k < shape.c; ++k) {
                             const double product = in[1].values[product_at(n, k)],
                                          total = in[1].values[total_at(n, k)] + kSmoothing;
                             for (std::int64_t i = 0; i < shape.positions(); ++i) {
                               const std::size_t at = shape.at(n, k, i);
                               // The quotient rule on (2 product + s) / (total + s); d product / dp = y, d total / dp
                               // = 1.
                               out.values[at] = -mean * (2 * in[0].values[at] * total - (2 * product + kSmoothing)) /
                                                (total * total);
                             }
                           }
                         }
                         return std::vector<TestTensor>{out};
                       }});
}

}  // namespace

std::vector<KernelCase> loss_cases() {
  std::vector<KernelCase> cases;
  add_cross_entropy_cases("TenClasses", 3, 10, 1, cases);
  add_cross_entropy_cases("ManyClasses", 5, 301, 3, cases);
  // p[label] is far below the smallest float here, and the loss is still finite.
  add_cross_entropy_cases("HugeLogits", 4, 7, 1000, cases);
  add_dice_cases("OneClass", {2, 1, 5, 6, 7}, cases);
  add_dice_cases("ThreeClasses", {2, 3, 9, 8, 17}, cases);
  add_dice_cases("FiveClasses2d", {3, 5, 31, 33}, cases);
  add_dice_cases("ManyClasses", {2, 50, 7, 11}, cases);
  return cases;
}

}  // namespace spillway
