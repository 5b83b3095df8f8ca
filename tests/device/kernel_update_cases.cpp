#include <cmath>

#include "tests/device/kernel_case.h"

namespace spillway {

namespace {

using Inputs = std::vector<TestTensor>;

const OperandDescription kNumber = operand(ElementType::int64, false, {1});
const OperandDescription kRate = parameter({1});

KernelCase advance_case() {
  return {.name = "AdvanceStep",
          .op = describe_op(AdvanceStep{}, {kNumber}, {kNumber}),
          .prepare = [](Inputs& in) { in[0].values = {(1LL << 40) + 7.0}; },
          .reference =
              [](const Inputs& in) {
                TestTensor out = zeros(kNumber);
                out.values[0] = in[0].values[0] + 1;
                return std::vector<TestTensor>{out};
              },
          .tolerance = 0,
          .in_place = {{0}}};
}

KernelCase sgd_case() {
  const OperandDescription w = parameter({7, 3, 3});
  constexpr double kMomentum = 0.9;
  return {.name = "SgdMomentum",
          .op = describe_op(SgdMomentum{kMomentum}, {w, w, w, kRate}, {w, w}),
          .prepare = [](Inputs& in) { in[3].values = {0.125}; },
          .reference =
              [=](const Inputs& in) {
                std::vector<TestTensor> out = {zeros(w), zeros(w)};
                for (std::size_t i = 0; i < out[0].values.size(); ++i) {
                  out[1].values[i] = kMomentum * in[2].values[i] + in[1].values[i];
                  out[0].values[i] = in[0].values[i] - in[3].values[0] * out[1].values[i];
                }
                return out;
              },
          .in_place = {{0, 2}, {0, -1}}};
}

KernelCase accumulate_case() {
  const OperandDescription a = parameter({7, 3, 3}), b = parameter({5});
  return {.name = "Accumulate",
          .op = describe_op(Accumulate{.scale = 0.25}, {a, a, b, b}, {a, b}),
          .prepare = [](Inputs&) {},
          .reference =
              [=](const Inputs& in) {
                std::vector<TestTensor> out = {zeros(a), zeros(b)};
                for (std::size_t k = 0; k < out.size(); ++k) {
                  for (std::size_t i = 0; i < out[k].values.size(); ++i)
                    out[k].values[i] = 0.25 * (in[2 * k].values[i] + in[2 * k + 1].values[i]);
                }
                return out;
              },
          .in_place = {{0, 2}, {0, -1}}};
}

KernelCase adam_case(const std::string& name, std::int64_t step) {
  const OperandDescription w = parameter({5, 17});
  constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;
  return {.name = "Adam" + name,
          .op = describe_op(Adam{kBeta1, kBeta2, kEpsilon}, {w, w, w, w, kRate, kNumber}, {w, w, w}),
          .prepare =
              [=](Inputs& in) {
                for (double& v : in[3].values) v = std::abs(v);
                in[4].values = {0.03125};
                in[5].values = {static_cast<double>(step)};
              },
          .reference =
              [=](const Inputs& in) {
                std::vector<TestTensor> out = {zeros(w), zeros(w), zeros(w)};
                for (std::size_t i = 0; i < out[0].values.size(); ++i) {
                  const double g = in[1].values[i], t = in[5].values[0];
                  const double m = kBeta1 * in[2].values[i] + (1 - kBeta1) * g,
                               v = kBeta2 * in[3].values[i] + (1 - kBeta2) * g * g;
                  const double m_hat = m / (1 - std::pow(kBeta1, t)), v_hat = v / (1 - std::pow(kBeta2, t));
                  out[0].values[i] = in[0].values[i] - in[4].values[0] * m_hat / (std::sqrt(v_hat) + kEpsilon);
                  out[1].values[i] = m, out[2].values[i] = v;
                }
                return out;
              },
          .tolerance = 2e-6,  // a quotient and a root of rounded numbers
          .in_place = {{0, 2, 3}}};
}

KernelCase statistics_case(const std::string& name, std::int64_t values) {
  const OperandDescription c = parameter({19});
  constexpr double kMomentum = 0.1;
  return {.name = "RunningStatistics" + name,
          .op = describe_op(RunningStatistics{kMomentum, values}, {c, c, c, c}, {c, c}),
          .prepare =
              [](Inputs& in) {
                for (double& v : in[1].values) v = std::abs(v);
              },
          .reference =
              [=](const Inputs& in) {
                std::vector<TestTensor> out = {zeros(c), zeros(c)};
                const double unbiased = values > 1 ? static_cast<double>(values) / static_cast<double>(values - 1) : 1;
                for (std::size_t i = 0; i < out[0].values.size(); ++i) {
                  out[0].values[i] = (1 - kMomentum) * in[2].values[i] + kMomentum * in[0].values[i];
                  out[1].values[i] = (1 - kMomentum) * in[3].values[i] + kMomentum * unbiased * in[1].values[i];
                }
                return out;
              },
          .in_place = {{2, 3}}};
}

}  // namespace

std::vector<KernelCase> update_cases() {
  return {advance_case(),
          sgd_case(),
          accumulate_case(),
          adam_case("FirstStep", 1),
          adam_case("LaterStep", 1000),
          statistics_case("", 4),
          statistics_case("OfOneValue", 1)};
}

}  // namespace spillway
