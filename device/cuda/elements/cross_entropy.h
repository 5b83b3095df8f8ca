#pragma once

#include <cmath>
#include <limits>

#include "device/cuda/elements/rows.h"

// A label that is no class makes its sample's loss and gradients NaN: a kernel on a GPU can't throw, and the CPU device
// would refuse it.

namespace spillway {

/// The sum of exp(x - largest), with the largest x seen so far.
struct ExponentialSum {
  double largest, sum;

  /// Lower than every float, and finite: so a difference to minus infinity is no NaN.
  [[nodiscard]] SPILLWAY_HD static ExponentialSum start() { return {-std::numeric_limits<double>::max(), 0}; }
  SPILLWAY_HD void merge(const ExponentialSum& other) {
    if (other.largest > largest) {
      sum = sum * std::exp(largest - other.largest) + other.sum;
      largest = other.largest;
    } else {
      sum += other.sum * std::exp(other.largest - largest);
    }
  }
};

/// Row: a sample. Writes its loss and what SoftmaxElement needs.
struct SoftmaxRow {
  using Sums = ExponentialSum;
  struct One {
    const float* logits;
    std::int64_t terms;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const { sums.merge({static_cast<double>(logits[term]), 1}); }
  };

  const float* logits;
  const std::int64_t* labels;
  Sums* sums_of_samples;
  Totals<1>* losses;
  std::int64_t classes;

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const { return {logits + index * classes, classes}; }
  SPILLWAY_HD void finish(std::int64_t index, const Sums& sums) const {
    const std::int64_t label = labels[index];
    sums_of_samples[index] = sums;
    losses[index].value[0] =
        label < 0 || label >= classes
            ? std::numeric_limits<double>::quiet_NaN()
            : sums.largest - static_cast<double>(logits[index * classes + label]) + std::log(sums.sum);
  }
};

/// Index: an element of the probabilities.
struct SoftmaxElement {
  const float* logits;
  const ExponentialSum* sums_of_samples;
  float* probabilities;
  std::int64_t classes;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const ExponentialSum& sums = sums_of_samples[divide(index, classes).quotient];
    probabilities[index] = static_cast<float>(std::exp(static_cast<double>(logits[index]) - sums.largest) / sums.sum);
  }
};

/// Index: an element of dlogits, which may be the probabilities.
struct CrossEntropyBackwardElement {
  const float* probabilities;
  const std::int64_t* labels;
  float* dlogits;
  std::int64_t classes;
  float scale;  ///< 1 / samples
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const Division by_class = divide(index, classes);
    const std::int64_t label = labels[by_class.quotient];
    const float target = by_class.remainder == label ? 1.0F : 0.0F;
    dlogits[index] = label < 0 || label >= classes ? std::numeric_limits<float>::quiet_NaN()
                                                   : (probabilities[index] - target) * scale;
  }
};

}  // namespace spillway
