#pragma once

#include <cmath>

#include "device/cuda/elements/host_device.h"

// What happens to parameters and state. All may run in place.

namespace spillway {

struct AdvanceStepElement {
  const std::int64_t* step;
  std::int64_t* next;
  SPILLWAY_HD void operator()(std::int64_t index) const { next[index] = step[index] + 1; }
};

struct SgdElement {
  const float *w, *dw, *velocity, *rate;
  float *new_w, *new_velocity;
  float momentum;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const float v = momentum * velocity[index] + dw[index];
    new_velocity[index] = v;
    new_w[index] = w[index] - *rate * v;
  }
};

/// What all elements of an Adam update share: rate / (1 - beta1^t) and 1 / sqrt(1 - beta2^t).
struct AdamFactors {
  float size, correction;
};

/// One index.
struct AdamFactorsElement {
  const float* rate;
  const std::int64_t* step;
  AdamFactors* factors;
  double beta1, beta2;

  /// base^exponent by squaring: the same bits on every machine.
  [[nodiscard]] SPILLWAY_HD static double power(double base, std::int64_t exponent) {
    double result = 1;
    for (; exponent > 0; exponent >>= 1, base *= base) {
      if ((exponent & 1) != 0) result *= base;
    }
    return result;
  }
  SPILLWAY_HD void operator()(std::int64_t index) const {
    factors[index] = {static_cast<float>(static_cast<double>(*rate) / (1 - power(beta1, *step))),
                      static_cast<float>(1 / std::sqrt(1 - power(beta2, *step)))};
  }
};

struct AdamElement {
  const float *w, *dw, *m, *v;
  const AdamFactors* factors;
  float *new_w, *new_m, *new_v;
  float beta1, rest1, beta2, rest2, epsilon;  ///< rest: 1 - beta, rounded once
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const float gradient = dw[index];
    const float mean = beta1 * m[index] + rest1 * gradient;
    const float square = beta2 * v[index] + rest2 * (gradient * gradient);
    new_m[index] = mean;
    new_v[index] = square;
    new_w[index] = w[index] - factors->size * (mean / (std::sqrt(square) * factors->correction + epsilon));
  }
};

struct AccumulateElement {
  const float *sum, *part;
  float* result;
  float scale;
  SPILLWAY_HD void operator()(std::int64_t index) const { result[index] = scale * (sum[index] + part[index]); }
};

/// Index: a channel.
struct RunningStatisticsElement {
  const float *mean, *variance, *running_mean, *running_variance;
  float *new_mean, *new_variance;
  double momentum, unbiased;  ///< unbiased: what a biased variance is multiplied by

  [[nodiscard]] SPILLWAY_HD float moved(float running, float now, double scale) const {
    return static_cast<float>((1 - momentum) * static_cast<double>(running) +
                              momentum * scale * static_cast<double>(now));
  }
  SPILLWAY_HD void operator()(std::int64_t index) const {
    new_mean[index] = moved(running_mean[index], mean[index], 1.0);
    new_variance[index] = moved(running_variance[index], variance[index], unbiased);
  }
};

}  // namespace spillway
