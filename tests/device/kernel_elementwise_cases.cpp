#include <cmath>

#include "core/philox.h"
#include "tests/device/kernel_case.h"

namespace spillway {

namespace {

using Inputs = std::vector<TestTensor>;

/// The reference of an op whose output's element i depends on its inputs' elements i.
auto each_element(const OperandDescription& y, std::function<double(const Inputs&, std::size_t)> f) {
  return [=](const Inputs& in) {
    TestTensor out = zeros(y);
    for (std::size_t i = 0; i < out.values.size(); ++i) out.values[i] = f(in, i);
    return std::vector<TestTensor>{out};
  };
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

void add_activation_cases(const Extents& extents, const std::string& name, std::vector<KernelCase>& cases) {
  const OperandDescription x = activation(extents);
  for (const auto& [slope, kind] : {std::pair{0.0, "Relu"}, std::pair{0.01, "LeakyRelu"}}) {
    const double s = slope;
    const auto relu = [s](double value) { return value > 0 ? value : s * value; };
    cases.push_back(
        {.name = kind + name,
         .op = describe_op(LeakyRelu{slope}, {x}, {x}),
         .reference = each_element(x, [=](const Inputs& in, std::size_t i) { return relu(in[0].values[i]); }),
         .in_place = {{0}}});
    cases.push_back(
        {.name = std::string(kind) + "Backward" + name,
         .op = describe_op(LeakyReluBackward{slope}, {x, x}, {x}),
         .prepare =
             [=](Inputs& in) {
               for (double& y : in[1].values) y = relu(y);
             },
         .reference = each_element(
             x, [=](const Inputs& in, std::size_t i) { return in[0].values[i] * (in[1].values[i] > 0 ? 1 : s); }),
         .in_place = {{0}}});
  }
  cases.push_back(
      {.name = "Sigmoid" + name,
       .op = describe_op(Sigmoid{}, {x}, {x}),
       .prepare =
           [](Inputs& in) {
             for (double& value : in[0].values) value *= 20;
           },
       .reference = each_element(x, [](const Inputs& in, std::size_t i) { return sigmoid(in[0].values[i]); }),
       .in_place = {{0}}});
  cases.push_back({.name = "SigmoidBackward" + name,
                   .op = describe_op(SigmoidBackward{}, {x, x}, {x}),
                   .prepare =
                       [](Inputs& in) {
                         for (double& y : in[1].values) y = sigmoid(5 * y);
                       },
                   .reference = each_element(x,
                                             [](const Inputs& in, std::size_t i) {
                                               const double y = in[1].values[i];
                                               return in[0].values[i] * y * (1 - y);
                                             }),
                   .in_place = {{0}}});
  cases.push_back(
      {.name = "Add" + name,
       .op = describe_op(Add{}, {x, x}, {x}),
       .reference = each_element(x, [](const Inputs& in, std::size_t i) { return in[0].values[i] + in[1].values[i]; }),
       .in_place = {{0}}});
}

KernelCase dropout_case(const std::string& name, const Extents& extents, double rate) {
  // A seed with both words in use.
  static constexpr std::int64_t kSeed = 0x1234567890abcdef;
  static constexpr std::uint32_t kStep = 17, kSalt = 3, kFirstSample = 40;
  const OperandDescription x = activation(extents), number = operand(ElementType::int64, false, {1});
  const Shape shape(extents);
  return {.name = "ChannelDropout" + name,
          .op = describe_op(ChannelDropout{rate, kSalt}, {x, number, number, number}, {x}),
          .prepare =
              [](Inputs& in) {
                in[1].values = {static_cast<double>(kSeed)};
                in[2].values = {static_cast<double>(kStep)};
                in[3].values = {kFirstSample};
              },
          .reference =
              [=](const Inputs& in) {
                const auto seed = static_cast<std::uint64_t>(in[1].values[0]);
                TestTensor out = zeros(x);
                for (std::int64_t n = 0; n < shape.n; ++n) {
                  for (std::int64_t c = 0; c < shape.c; ++c) {
                    const auto random = philox4x32_10(
                        {static_cast<std::uint32_t>(c), kFirstSample + static_cast<std::uint32_t>(n), kSalt, kStep},
                        {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
                    const double factor = unit_interval(random[0]) < rate ? 0 : 1 / (1 - rate);
                    for (std::int64_t i = 0; i < shape.positions(); ++i) {
                      out.values[shape.at(n, c, i)] = in[0].values[shape.at(n, c, i)] * factor;
                    }
                  }
                }
                return std::vector<TestTensor>{out};
              },
          .in_place = {{0}}};
}

}  // namespace

std::vector<KernelCase> elementwise_cases() {
  std::vector<KernelCase> cases;
  add_activation_cases({2, 3, 5, 7}, "Odd", cases);
  add_activation_cases({2, 16, 3, 4, 5}, "3d", cases);
  cases.push_back(dropout_case("3d", {2, 16, 3, 4, 5}, 0.3));
  cases.push_back(dropout_case("ThreeChannels", {3, 3, 5, 7}, 0.5));
  cases.push_back(dropout_case("ManyChannels", {2, 70, 3}, 0.9));
  cases.push_back(dropout_case("NothingDropped", {2, 5}, 0.0));
  return cases;
}

}  // namespace spillway
