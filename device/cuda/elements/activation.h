#pragma once

#include <cmath>

#include "device/cuda/elements/host_device.h"

// Elementwise ops don't care where an element lies: index in memory. In place where core/attributes.h says so.

namespace spillway {

struct LeakyReluElement {
  const float* x;
  float* y;
  float slope;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const float value = x[index];
    y[index] = value > 0 ? value : slope * value;
  }
};

struct LeakyReluBackwardElement {
  const float *dy, *y;
  float* dx;
  float slope;
  SPILLWAY_HD void operator()(std::int64_t index) const { dx[index] = y[index] > 0 ? dy[index] : slope * dy[index]; }
};

struct SigmoidElement {
  const float* x;
  float* y;
  SPILLWAY_HD void operator()(std::int64_t index) const { y[index] = 1.0F / (1.0F + std::exp(-x[index])); }
};

struct SigmoidBackwardElement {
  const float *dy, *y;
  float* dx;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const float value = y[index];
    dx[index] = dy[index] * (value * (1.0F - value));
  }
};

struct AddElement {
  const float *a, *b;
  float* sum;
  SPILLWAY_HD void operator()(std::int64_t index) const { sum[index] = a[index] + b[index]; }
};

}  // namespace spillway
