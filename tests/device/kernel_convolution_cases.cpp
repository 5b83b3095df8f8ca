#include "tests/device/kernel_case.h"

namespace spillway {

namespace {

struct ConvolutionShape {
  std::string name;
  Extents x;
  std::int64_t filters;
  std::int64_t kernel, stride, padding;
};

Window window_of(const ConvolutionShape& shape) {
  const std::size_t dimensions = shape.x.size() - 2;
  return {Extents(dimensions, shape.kernel), Extents(dimensions, shape.stride), Extents(dimensions, shape.padding)};
}

Extents result_of(const ConvolutionShape& shape) {
  Extents y = shape.x;
  y[1] = shape.filters;
  for (std::size_t i = 2; i < y.size(); ++i) y[i] = (y[i] + 2 * shape.padding - shape.kernel) / shape.stride + 1;
  return y;
}

Extents weights_of(const ConvolutionShape& shape) {
  Extents weights = {shape.filters, shape.x[1]};
  weights.resize(shape.x.size(), shape.kernel);
  return weights;
}

/// Calls `term(x index, weight index, y index)` for each product of the convolution.
void for_each_term(const ConvolutionShape& shape,
                   const std::function<void(std::size_t, std::size_t, std::size_t)>& term) {
  const Shape x(shape.x), y(result_of(shape)), weights(weights_of(shape));
  for_each_tap(window_of(shape), x, y, [&](std::int64_t from, std::int64_t to, std::int64_t element) {
    for (std::int64_t n = 0; n < x.n; ++n) {
      for (std::int64_t k = 0; k < y.c; ++k) {
        for (std::int64_t c = 0; c < x.c; ++c) term(x.at(n, c, from), weights.at(k, c, element), y.at(n, k, to));
      }
    }
  });
}

void add_cases(const ConvolutionShape& shape, std::vector<KernelCase>& cases) {
  const Window window = window_of(shape);
  const OperandDescription x = activation(shape.x), y = activation(result_of(shape)),
                           weights = parameter(weights_of(shape)), bias = parameter({shape.filters});
  const Shape result(y.extents);
  for (const bool has_bias : {false, true}) {
    const std::string suffix = has_bias ? "Bias" : "";
    std::vector<OperandDescription> inputs = {x, weights}, gradients = {weights};
    if (has_bias) inputs.push_back(bias), gradients.push_back(bias);
    cases.push_back({.name = "Convolution" + shape.name + suffix,
                     .op = describe_op(Convolution{window}, inputs, {y}),
                     .reference =
                         [=](const std::vector<TestTensor>& in) {
                           TestTensor out = zeros(y);
                           for (std::int64_t n = 0; has_bias && n < result.n; ++n) {
                             for (std::int64_t k = 0; k < result.c; ++k) {
                               for (std::int64_t i = 0; i < result.positions(); ++i) {
                                 out.values[result.at(n, k, i)] = in[2].values[static_cast<std::size_t>(k)];
                               }
                             }
                           }
                           for_each_term(shape, [&](std::size_t ix, std::size_t iw, std::size_t iy) {
                             out.values[iy] += in[0].values[ix] * in[1].values[iw];
                           });
                           return std::vector<TestTensor>{out};
                         },
                     .tolerance = 2e-5});
    cases.push_back({.name = "ConvolutionBackwardWeights" + shape.name + suffix,
                     .op = describe_op(ConvolutionBackwardWeights{window}, {x, y}, gradients),
                     .reference =
                         [=](const std::vector<TestTensor>& in) {
                           std::vector<TestTensor> out = {zeros(weights)};
                           for_each_term(shape, [&](std::size_t ix, std::size_t iw, std::size_t iy) {
                             out[0].values[iw] += in[0].values[ix] * in[1].values[iy];
                           });
                           if (!has_bias) return out;
                           out.push_back(zeros(bias));
                           for (std::int64_t n = 0; n < result.n; ++n) {
                             for (std::int64_t k = 0; k < result.c; ++k) {
                               for (std::int64_t i = 0; i < result.positions(); ++i) {
                                 out[1].values[static_cast<std::size_t>(k)] += in[1].values[result.at(n, k, i)];
                               }
                             }
                           }
                           return out;
                         },
                     .tolerance = 2e-5});
  }
  cases.push_back({.name = "ConvolutionBackwardData" + shape.name,
                   .op = describe_op(ConvolutionBackwardData{window}, {y, weights}, {x}),
                   .reference =
                       [=](const std::vector<TestTensor>& in) {
                         TestTensor out = zeros(x);
                         for_each_term(shape, [&](std::size_t ix, std::size_t iw, std::size_t iy) {
                           out.values[ix] += in[0].values[iy] * in[1].values[iw];
                         });
                         return std::vector<TestTensor>{out};
                       },
                   .tolerance = 2e-5});
}

}  // namespace

std::vector<KernelCase> convolution_cases() {
  const ConvolutionShape shapes[] = {
      {.name = "1d", .x = {2, 3, 9}, .filters = 5, .kernel = 3, .stride = 1, .padding = 1},
      {.name = "1dStride2", .x = {2, 16, 11}, .filters = 16, .kernel = 3, .stride = 2, .padding = 1},
      {.name = "2dOddStride2", .x = {2, 5, 9, 7}, .filters = 7, .kernel = 3, .stride = 2, .padding = 1},
      {.name = "2dSevenWide", .x = {2, 3, 15, 13}, .filters = 32, .kernel = 7, .stride = 2, .padding = 3},
      {.name = "2dPointwise", .x = {2, 17, 4, 5}, .filters = 3, .kernel = 1, .stride = 1, .padding = 0},
      {.name = "2dPointwiseStride2", .x = {2, 32, 5, 6}, .filters = 16, .kernel = 1, .stride = 2, .padding = 0},
      {.name = "2dUnpadded", .x = {1, 4, 6, 5}, .filters = 8, .kernel = 3, .stride = 1, .padding = 0},
      {.name = "3dOneChannel", .x = {2, 1, 5, 4, 6}, .filters = 16, .kernel = 3, .stride = 1, .padding = 1},
      {.name = "3d", .x = {2, 16, 4, 5, 3}, .filters = 16, .kernel = 3, .stride = 1, .padding = 1},
      {.name = "3dStride2", .x = {2, 16, 5, 4, 7}, .filters = 32, .kernel = 3, .stride = 2, .padding = 1},
      {.name = "3dToThree", .x = {2, 16, 3, 4, 5}, .filters = 3, .kernel = 1, .stride = 1, .padding = 0},
      {.name = "3dOdd", .x = {2, 5, 4, 3, 5}, .filters = 6, .kernel = 3, .stride = 1, .padding = 1},
  };
  std::vector<KernelCase> cases;
  for (const ConvolutionShape& shape : shapes) add_cases(shape, cases);
  return cases;
}

std::vector<KernelCase> linear_cases() {
  std::vector<KernelCase> cases;
  struct LinearShape {
    std::string name;
    Extents x;
    std::int64_t outputs;
  };
  for (const auto& [name, x_extents, size] :
       {LinearShape{"Odd", {3, 7}, 5}, LinearShape{"Wide", {2, 33}, 65}, LinearShape{"OneSample", {1, 6}, 4},
        LinearShape{"OneOutput", {4, 9}, 1}, LinearShape{"OneFeature", {5, 1}, 3},
        LinearShape{"OfPooled", {2, 24, 1, 1}, 10}, LinearShape{"OfPooledVolume", {3, 8, 1, 1, 1}, 2}}) {
    const std::int64_t samples = x_extents[0], features = x_extents[1], outputs = size;
    const OperandDescription x = activation(x_extents), y = activation({samples, outputs}),
                             weights = parameter({outputs, features}), bias = parameter({outputs});
    const auto for_each = [=](const std::function<void(std::size_t, std::size_t, std::size_t)>& term) {
      for (std::int64_t n = 0; n < samples; ++n) {
        for (std::int64_t o = 0; o < outputs; ++o) {
          for (std::int64_t i = 0; i < features; ++i) {
            term(static_cast<std::size_t>(n * features + i), static_cast<std::size_t>(o * features + i),
                 static_cast<std::size_t>(n * outputs + o));
          }
        }
      }
    };
    cases.push_back({.name = "Linear" + name,
                     .op = describe_op(Linear{}, {x, weights, bias}, {y}),
                     .reference =
                         [=](const std::vector<TestTensor>& in) {
                           TestTensor out = zeros(y);
                           for (std::size_t i = 0; i < out.values.size(); ++i) {
                             out.values[i] = in[2].values[i % static_cast<std::size_t>(outputs)];
                           }
                           for_each([&](std::size_t ix, std::size_t iw, std::size_t iy) {
                             out.values[iy] += in[0].values[ix] * in[1].values[iw];
                           });
                           return std::vector<TestTensor>{out};
                         },
                     .tolerance = 2e-5});
    cases.push_back({.name = "LinearBackwardData" + name,
                     .op = describe_op(LinearBackwardData{}, {y, weights}, {x}),
                     .reference =
                         [=](const std::vector<TestTensor>& in) {
                           TestTensor out = zeros(x);
                           for_each([&](std::size_t ix, std::size_t iw, std::size_t iy) {
                             out.values[ix] += in[0].values[iy] * in[1].values[iw];
                           });
                           return std::vector<TestTensor>{out};
                         },
                     .tolerance = 2e-5});
    cases.push_back({.name = "LinearBackwardWeights" + name,
                     .op = describe_op(LinearBackwardWeights{}, {x, y}, {weights, bias}),
                     .reference =
                         [=](const std::vector<TestTensor>& in) {
                           std::vector<TestTensor> out = {zeros(weights), zeros(bias)};
                           for_each([&](std::size_t ix, std::size_t iw, std::size_t iy) {
                             out[0].values[iw] += in[0].values[ix] * in[1].values[iy];
                           });
                           for (std::size_t i = 0; i < in[1].values.size(); ++i) {
                             out[1].values[i % static_cast<std::size_t>(outputs)] += in[1].values[i];
                           }
                           return out;
                         },
                     .tolerance = 2e-5});
  }
  return cases;
}

}  // namespace spillway
