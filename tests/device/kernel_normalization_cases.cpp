#include <cmath>

#include "tests/device/kernel_case.h"

namespace spillway {

namespace {

constexpr double kEpsilon = 1e-3;

/// Which statistics an element of [N, C, space] belongs to.
struct Statistics {
  Shape shape;
  bool per_sample;

  [[nodiscard]] std::size_t group(std::int64_t n, std::int64_t c) const {
    return static_cast<std::size_t>(per_sample ? n * shape.c + c : c);
  }
  [[nodiscard]] double count() const { return static_cast<double>(shape.positions() * (per_sample ? 1 : shape.n)); }
  void for_each(const std::function<void(std::size_t element, std::size_t group, std::size_t channel)>& use) const {
    for (std::int64_t n = 0; n < shape.n; ++n) {
      for (std::int64_t c = 0; c < shape.c; ++c) {
        for (std::int64_t i = 0; i < shape.positions(); ++i)
          use(shape.at(n, c, i), group(n, c), static_cast<std::size_t>(c));
      }
    }
  }
  void fill(const std::vector<double>& x, std::vector<double>& mean, std::vector<double>& variance) const {
    mean.assign(mean.size(), 0), variance.assign(variance.size(), 0);
    for_each([&](std::size_t i, std::size_t g, std::size_t) { mean[g] += x[i] / count(); });
    for_each([&](std::size_t i, std::size_t g, std::size_t) {
      variance[g] += (x[i] - mean[g]) * (x[i] - mean[g]) / count();
    });
  }
};

void add_cases(const std::string& name, const Extents& extents, bool per_sample, std::vector<KernelCase>& cases) {
  const OperandDescription x = activation(extents), per_channel = parameter({extents[1]}),
                           statistic = per_sample ? activation({extents[0], extents[1]}) : per_channel;
  const Statistics statistics{Shape(extents), per_sample};
  const std::string kind = per_sample ? "InstanceNorm" : "BatchNorm";
  cases.push_back({.name = kind + name,
                   .op = describe_op(per_sample ? Attributes(InstanceNorm{kEpsilon}) : Attributes(BatchNorm{kEpsilon}),
                                     {x, per_channel, per_channel}, {x, statistic, statistic}),
                   .reference =
                       [=](const std::vector<TestTensor>& in) {
                         std::vector<TestTensor> out = {zeros(x), zeros(statistic), zeros(statistic)};
                         statistics.fill(in[0].values, out[1].values, out[2].values);
                         statistics.for_each([&](std::size_t i, std::size_t g, std::size_t c) {
                           out[0].values[i] = (in[0].values[i] - out[1].values[g]) /
                                                  std::sqrt(out[2].values[g] + kEpsilon) * in[1].values[c] +
                                              in[2].values[c];
                         });
                         return out;
                       },
                   .tolerance = 2e-5});
  cases.push_back(
      {.name = kind + "Backward" + name,
       .op = describe_op(
           per_sample ? Attributes(InstanceNormBackward{kEpsilon}) : Attributes(BatchNormBackward{kEpsilon}),
           {x, x, per_channel, statistic, statistic}, {x, per_channel, per_channel}),
       .prepare = [=](std::vector<TestTensor>& in) { statistics.fill(in[1].values, in[3].values, in[4].values); },
       .reference =
           [=](const std::vector<TestTensor>& in) {
             std::vector<TestTensor> out = {zeros(x), zeros(per_channel), zeros(per_channel)};
             std::vector<double> mean_dy(in[3].values.size(), 0), mean_product(in[3].values.size(), 0);
             const auto normalised = [&](std::size_t i, std::size_t g) {
               return (in[1].values[i] - in[3].values[g]) / std::sqrt(in[4].values[g] + kEpsilon);
             };
             statistics.for_each([&](std::size_t i, std::size_t g, std::size_t c) {
               const double dy = in[0].values[i];
               mean_dy[g] += dy / statistics.count();
               mean_product[g] += dy * normalised(i, g) / statistics.count();
               out[1].values[c] += dy * normalised(i, g);
               out[2].values[c] += dy;
             });
             statistics.for_each([&](std::size_t i, std::size_t g, std::size_t c) {
               out[0].values[i] = in[2].values[c] / std::sqrt(in[4].values[g] + kEpsilon) *
                                  (in[0].values[i] - mean_dy[g] - normalised(i, g) * mean_product[g]);
             });
             return out;
           },
       .tolerance = 2e-5,
       .in_place = {{0, -1, -1}}});
}

}  // namespace

std::vector<KernelCase> normalization_cases() {
  std::vector<KernelCase> cases;
  for (const bool per_sample : {true, false}) {
    add_cases("1d", {2, 5, 13}, per_sample, cases);
    add_cases("2d", {3, 32, 5, 3}, per_sample, cases);
    add_cases("2dThreeChannels", {2, 3, 5, 7}, per_sample, cases);
    add_cases("3d", {2, 16, 3, 4, 5}, per_sample, cases);
    add_cases("3dOneSample", {1, 20, 3, 4, 5}, per_sample, cases);
  }
  return cases;
}

}  // namespace spillway
