#pragma once

#include "device/cuda/elements/rows.h"
#include "device/cuda/elements/window_shape.h"

namespace spillway {

/// The first of equals is chosen; NaN is larger than all, so that it isn't lost.
struct MaxPoolElement {
  const float* x;
  float* y;
  std::uint8_t* choice;
  TensorGrid x_grid, y_grid;
  WindowShape window;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = y_grid.locate(index);
    const float* from = x + x_grid.at(place.sample, place.channel, 0);
    float largest = 0;
    std::int64_t chosen = -1;
    for_each_source(window, x_grid, y_grid, place.position, [&](std::int64_t position, std::int64_t tap) {
      const float value = from[position * x_grid.position_stride()];
      if (chosen < 0 || value > largest || value != value) largest = value, chosen = tap;
    });
    y[index] = largest;
    choice[index] = static_cast<std::uint8_t>(chosen);
  }
};

struct MaxPoolBackwardElement {
  const float* dy;
  const std::uint8_t* choice;
  float* dx;
  TensorGrid x_grid, y_grid;
  WindowShape window;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = x_grid.locate(index);
    double sum = 0;
    for_each_user(window, x_grid, y_grid, place.position, [&](std::int64_t position, std::int64_t tap) {
      const std::int64_t at = y_grid.at(place.sample, place.channel, position);
      if (choice[at] == tap) sum += static_cast<double>(dy[at]);
    });
    dx[index] = static_cast<float>(sum);
  }
};

/// Index: an element of dx.
struct AverageBackwardElement {
  const float* dy;  ///< [N, C]
  float* dx;
  TensorGrid grid;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = grid.locate(index);
    dx[index] = dy[place.sample * grid.channels + place.channel] / static_cast<float>(grid.positions);
  }
};

/// The elements of each group.
struct ChannelSums {
  using Sums = Totals<1>;
  struct One {
    const float* x;
    GroupRow group;
    std::int64_t terms;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const {
      sums.value[0] += static_cast<double>(x[group.at(term)]);
    }
  };

  const float* x;
  ChannelGroups groups;

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const { return {x, groups.row(index), groups.terms()}; }
};
using ChannelSumRow = WholeRow<ChannelSums>;
using ChannelSumPartRow = PartRow<ChannelSums>;

}  // namespace spillway
