#pragma once

#include "device/cuda/elements/rows.h"

// Weights are [outputs, features].

namespace spillway {

/// Row: an element of y [N, outputs].
struct LinearRow {
  using Sums = Totals<1>;
  struct One {
    const float *x, *weights;
    std::int64_t terms;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const {
      sums.value[0] += static_cast<double>(x[term]) * static_cast<double>(weights[term]);
    }
  };

  const float *x, *weights, *bias;
  float* y;
  std::int64_t features, outputs;

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const {
    const Division by_output = divide(index, outputs);
    return {x + by_output.quotient * features, weights + by_output.remainder * features, features};
  }
  SPILLWAY_HD void finish(std::int64_t index, const Sums& sums) const {
    y[index] = static_cast<float>(sums.value[0] + static_cast<double>(bias[divide(index, outputs).remainder]));
  }
};

/// Index: an element of dx [N, features].
struct LinearBackwardDataElement {
  const float *dy, *weights;
  float* dx;
  std::int64_t features, outputs;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const Division by_feature = divide(index, features);
    const float *row = dy + by_feature.quotient * outputs, *column = weights + by_feature.remainder;
    double sum = 0;
    for (std::int64_t o = 0; o < outputs; ++o) {
      sum += static_cast<double>(row[o]) * static_cast<double>(column[o * features]);
    }
    dx[index] = static_cast<float>(sum);
  }
};

/// Index: an element of dweights.
struct LinearBackwardWeightsElement {
  const float *x, *dy;
  float* dweights;
  std::int64_t samples, features, outputs;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const Division by_feature = divide(index, features);
    const float *feature = x + by_feature.remainder, *output = dy + by_feature.quotient;
    double sum = 0;
    for (std::int64_t n = 0; n < samples; ++n) {
      sum += static_cast<double>(feature[n * features]) * static_cast<double>(output[n * outputs]);
    }
    dweights[index] = static_cast<float>(sum);
  }
};

}  // namespace spillway
