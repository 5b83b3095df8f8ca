#pragma once

#include "device/cuda/elements/tensor_grid.h"

namespace spillway {

/// Index: an element of `both`.
struct ConcatElement {
  const float *a, *b;
  float* both;
  TensorGrid a_grid, b_grid, both_grid;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = both_grid.locate(index);
    both[index] = place.channel < a_grid.channels
                      ? a[a_grid.at(place.sample, place.channel, place.position)]
                      : b[b_grid.at(place.sample, place.channel - a_grid.channels, place.position)];
  }
};

/// Index: an element of `both`; its copy in `a` or `b` is written.
struct ConcatBackwardElement {
  const float* both;
  float *a, *b;
  TensorGrid a_grid, b_grid, both_grid;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = both_grid.locate(index);
    if (place.channel < a_grid.channels) {
      a[a_grid.at(place.sample, place.channel, place.position)] = both[index];
    } else {
      b[b_grid.at(place.sample, place.channel - a_grid.channels, place.position)] = both[index];
    }
  }
};

}  // namespace spillway
