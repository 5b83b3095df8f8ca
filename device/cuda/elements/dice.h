#pragma once

#include "device/cuda/elements/rows.h"
#include "device/cuda/elements/tensor_grid.h"

// A group is one class of one sample.

namespace spillway {

/// Sums of y p and y + p over a group.
struct DiceOverlap {
  using Sums = Totals<2>;
  struct One {
    const float *p, *labels;
    GroupRow group;
    std::int64_t terms;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const {
      const std::int64_t at = group.at(term);
      const auto value = static_cast<double>(p[at]), label = static_cast<double>(labels[at]);
      sums.value[0] += label * value;
      sums.value[1] += label + value;
    }
  };

  const float *p, *labels;
  ChannelGroups groups;

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const { return {p, labels, groups.row(index), groups.terms()}; }
};
using DiceOverlapPartRow = PartRow<DiceOverlap>;

/// Row: a group. Merges its parts; writes its two sums and its quotient.
struct DiceRow {
  using Sums = Totals<2>;

  MergedSums<Sums> parts;
  float* sums_of_samples;  ///< [N, 2K]
  Totals<1>* quotients;    ///< [N, K]
  std::int64_t classes;
  double smoothing;

  [[nodiscard]] SPILLWAY_HD auto row(std::int64_t index) const { return parts.row(index); }
  SPILLWAY_HD void finish(std::int64_t index, const Sums& sums) const {
    const Division by_class = divide(index, classes);
    float* sample = sums_of_samples + by_class.quotient * 2 * classes;
    sample[by_class.remainder] = static_cast<float>(sums.value[0]);
    sample[classes + by_class.remainder] = static_cast<float>(sums.value[1]);
    quotients[index].value[0] = (2 * sums.value[0] + smoothing) / (sums.value[1] + smoothing);
  }
};

/// dp = slope y + base, for one group: with I = sum(y p), U = sum(y) + sum(p) and M = N K,
/// d loss / dp = -(2 y (U + s) - (2 I + s)) / (M (U + s)^2).
struct DiceTerms {
  float slope, base;
};

/// Index: a group.
struct DiceTermsElement {
  const float* sums_of_samples;  ///< [N, 2K]
  DiceTerms* terms;              ///< [N, K]
  std::int64_t classes;
  double smoothing, mean;  ///< mean: 1 / (N K)
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const Division by_class = divide(index, classes);
    const float* sample = sums_of_samples + by_class.quotient * 2 * classes;
    const auto product = static_cast<double>(sample[by_class.remainder]);
    const double total = static_cast<double>(sample[classes + by_class.remainder]) + smoothing;
    terms[index] = {static_cast<float>(-2 * mean / total),
                    static_cast<float>(mean * (2 * product + smoothing) / (total * total))};
  }
};

/// Index: an element of dp.
struct DiceBackwardElement {
  const float* labels;
  const DiceTerms* terms;
  float* dp;
  TensorGrid grid;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = grid.locate(index);
    const DiceTerms& of = terms[place.sample * grid.channels + place.channel];
    dp[index] = of.slope * labels[index] + of.base;
  }
};

}  // namespace spillway
