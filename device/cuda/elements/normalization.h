#pragma once

#include <cmath>

#include "device/cuda/elements/rows.h"
#include "device/cuda/elements/tensor_grid.h"

// A group is what is normalised together: one channel of one sample, or one channel of the batch. Forward: parts of the
// groups' moments, then statistics, then y. Backward: parts of the groups' gradients, then totals, then the parameters'
// gradients and dx.

namespace spillway {

/// Sums of x - x0 and (x - x0)^2 over a group, x0 being its first element: about zero, the second would cancel.
struct GroupMoments {
  using Sums = Totals<2>;
  struct One {
    const float* x;
    GroupRow group;
    std::int64_t terms;
    double shift;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const {
      const double value = static_cast<double>(x[group.at(term)]) - shift;
      sums.value[0] += value;
      sums.value[1] += value * value;
    }
  };

  const float* x;
  ChannelGroups groups;

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const {
    const GroupRow group = groups.row(index);
    return {x, group, groups.terms(), static_cast<double>(x[group.first])};
  }
};
using MomentPartRow = PartRow<GroupMoments>;

/// Row: a group. Merges its parts; writes its statistics and what x - mean is multiplied by.
struct NormStatisticsRow {
  using Sums = Totals<2>;

  MergedSums<Sums> parts;
  const float *x, *scale;
  float *mean, *variance, *factor;
  ChannelGroups groups;
  double epsilon;

  [[nodiscard]] SPILLWAY_HD auto row(std::int64_t index) const { return parts.row(index); }
  SPILLWAY_HD void finish(std::int64_t index, const Sums& sums) const {
    const auto count = static_cast<double>(groups.terms());
    const double offset = sums.value[0] / count;
    double square = (sums.value[1] - sums.value[0] * offset) / count;
    if (square < 0) square = 0;  // rounding
    mean[index] = static_cast<float>(static_cast<double>(x[groups.row(index).first]) + offset);
    variance[index] = static_cast<float>(square);
    factor[index] = static_cast<float>(static_cast<double>(scale[groups.channel(index)]) / std::sqrt(square + epsilon));
  }
};

/// Index: an element of y.
struct NormaliseElement {
  const float *x, *shift, *mean, *factor;
  float* y;
  ChannelGroups groups;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = groups.grid.locate(index);
    const std::int64_t group = groups.group(place);
    y[index] = (x[index] - mean[group]) * factor[group] + shift[place.channel];
  }
};

/// Sums of dy and dy (x - mean) over a group.
struct GroupGradients {
  using Sums = Totals<2>;
  struct One {
    const float *dy, *x;
    GroupRow group;
    std::int64_t terms;
    double mean;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const {
      const std::int64_t at = group.at(term);
      sums.value[0] += static_cast<double>(dy[at]);
      sums.value[1] += static_cast<double>(dy[at]) * (static_cast<double>(x[at]) - mean);
    }
  };

  const float *dy, *x, *mean;
  ChannelGroups groups;

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const {
    return {dy, x, groups.row(index), groups.terms(), static_cast<double>(mean[index])};
  }
};
using NormGradientPartRow = PartRow<GroupGradients>;

/// dx = factor * (dy - offset - (x - mean) * slope), for one group.
struct NormGradientTerms {
  float factor, offset, slope;
};

/// Row: a group. Merges its parts; writes what it adds to dshift and dscale, in this order, and its terms of dx.
struct NormGradientRow {
  using Sums = Totals<2>;

  MergedSums<Sums> parts;
  const float *scale, *variance;
  Sums* totals;
  NormGradientTerms* terms;
  ChannelGroups groups;
  double epsilon;

  [[nodiscard]] SPILLWAY_HD auto row(std::int64_t index) const { return parts.row(index); }
  SPILLWAY_HD void finish(std::int64_t index, const Sums& sums) const {
    const auto count = static_cast<double>(groups.terms());
    const double inverse = 1 / std::sqrt(static_cast<double>(variance[index]) + epsilon);
    const double product = sums.value[1] * inverse;  // sum of dy times the normalised x
    totals[index].value[0] = sums.value[0];
    totals[index].value[1] = product;
    terms[index] = {static_cast<float>(static_cast<double>(scale[groups.channel(index)]) * inverse),
                    static_cast<float>(sums.value[0] / count), static_cast<float>(product / count * inverse)};
  }
};

/// Row: a channel. Adds up its groups' totals.
struct NormParameterRow {
  using Sums = Totals<2>;
  struct One {
    const Sums* totals;  ///< the channel's first
    std::int64_t channels, terms;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const { sums.merge(totals[term * channels]); }
  };

  const Sums* totals;
  float *dscale, *dshift;
  std::int64_t channels, groups_per_channel;

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const { return {totals + index, channels, groups_per_channel}; }
  SPILLWAY_HD void finish(std::int64_t index, const Sums& sums) const {
    dshift[index] = static_cast<float>(sums.value[0]);
    dscale[index] = static_cast<float>(sums.value[1]);
  }
};

/// Index: an element of dx, which may be dy.
struct NormGradientElement {
  const float *dy, *x, *mean;
  const NormGradientTerms* terms;
  float* dx;
  ChannelGroups groups;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const std::int64_t group = groups.group(groups.grid.locate(index));
    const NormGradientTerms& of = terms[group];
    dx[index] = of.factor * (dy[index] - of.offset - (x[index] - mean[group]) * of.slope);
  }
};

}  // namespace spillway
