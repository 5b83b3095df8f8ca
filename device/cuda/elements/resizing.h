#pragma once

#include "device/cuda/elements/tensor_grid.h"

namespace spillway {

/// The small grid, the large one, and how many positions of the large one each position of the small one becomes in
/// each direction.
struct ResizingGrids {
  TensorGrid coarse, fine;
  std::int64_t factor[3];
};

struct UpsampleElement {
  const float* x;
  float* y;
  ResizingGrids grids;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = grids.fine.locate(index);
    const SpacePoint point = point_of(grids.fine.space, place.position);
    const SpacePoint from = {divide(point.d, grids.factor[0]).quotient, divide(point.h, grids.factor[1]).quotient,
                             divide(point.w, grids.factor[2]).quotient};
    y[index] = x[grids.coarse.at(place.sample, place.channel, position_of(grids.coarse.space, from))];
  }
};

struct UpsampleBackwardElement {
  const float* dy;
  float* dx;
  ResizingGrids grids;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = grids.coarse.locate(index);
    const SpacePoint point = point_of(grids.coarse.space, place.position);
    double sum = 0;
    for (std::int64_t i = 0; i < grids.factor[0]; ++i) {
      for (std::int64_t j = 0; j < grids.factor[1]; ++j) {
        for (std::int64_t k = 0; k < grids.factor[2]; ++k) {
          const SpacePoint from = {point.d * grids.factor[0] + i, point.h * grids.factor[1] + j,
                                   point.w * grids.factor[2] + k};
          sum +=
              static_cast<double>(dy[grids.fine.at(place.sample, place.channel, position_of(grids.fine.space, from))]);
        }
      }
    }
    dx[index] = static_cast<float>(sum);
  }
};

}  // namespace spillway
