#pragma once

#include "device/cuda/elements/tensor_grid.h"

namespace spillway {

/// A Window in three dimensions; missing ones are one wide. A *tap* is an element of the window, in [D, H, W] order.
struct WindowShape {
  std::int64_t kernel[3], stride[3], padding[3];

  [[nodiscard]] SPILLWAY_HD std::int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};

[[nodiscard]] SPILLWAY_HD inline bool is_inside(const std::int64_t (&space)[3], const SpacePoint& point) {
  return point.d >= 0 && point.d < space[0] && point.h >= 0 && point.h < space[1] && point.w >= 0 && point.w < space[2];
}

/// Where the window of the output point `y` has its tap (i, j, k) in the input; may lie outside.
[[nodiscard]] SPILLWAY_HD inline SpacePoint source_of(const WindowShape& window, const SpacePoint& y, std::int64_t i,
                                                      std::int64_t j, std::int64_t k) {
  return {y.d * window.stride[0] - window.padding[0] + i, y.h * window.stride[1] - window.padding[1] + j,
          y.w * window.stride[2] - window.padding[2] + k};
}

/// Calls `use(position of x, tap)` for what lies under the window of one position of y, taps upwards.
template <class Use>
SPILLWAY_HD void for_each_source(const WindowShape& window, const TensorGrid& x, const TensorGrid& y,
                                 std::int64_t y_position, const Use& use) {
  const SpacePoint point = point_of(y.space, y_position);
  std::int64_t tap = 0;
  for (std::int64_t i = 0; i < window.kernel[0]; ++i) {
    for (std::int64_t j = 0; j < window.kernel[1]; ++j) {
      for (std::int64_t k = 0; k < window.kernel[2]; ++k, ++tap) {
        const SpacePoint source = source_of(window, point, i, j, k);
        if (is_inside(x.space, source)) use(position_of(x.space, source), tap);
      }
    }
  }
}

/// The coordinate of the output whose window has tap `tap` at coordinate `x`; negative where there is none.
[[nodiscard]] SPILLWAY_HD inline std::int64_t user_of(std::int64_t x, std::int64_t tap, std::int64_t stride,
                                                      std::int64_t padding, std::int64_t outputs) {
  const std::int64_t offset = x + padding - tap;
  if (offset < 0) return -1;
  const Division by_stride = divide(offset, stride);
  return by_stride.remainder == 0 && by_stride.quotient < outputs ? by_stride.quotient : -1;
}

/// Calls `use(position of y, tap)` for each window that one position of x lies under, taps upwards.
template <class Use>
SPILLWAY_HD void for_each_user(const WindowShape& window, const TensorGrid& x, const TensorGrid& y,
                               std::int64_t x_position, const Use& use) {
  const SpacePoint point = point_of(x.space, x_position);
  std::int64_t tap = 0;
  for (std::int64_t i = 0; i < window.kernel[0]; ++i) {
    const std::int64_t d = user_of(point.d, i, window.stride[0], window.padding[0], y.space[0]);
    for (std::int64_t j = 0; j < window.kernel[1]; ++j) {
      const std::int64_t h = user_of(point.h, j, window.stride[1], window.padding[1], y.space[1]);
      for (std::int64_t k = 0; k < window.kernel[2]; ++k, ++tap) {
        const std::int64_t w = user_of(point.w, k, window.stride[2], window.padding[2], y.space[2]);
        if (d >= 0 && h >= 0 && w >= 0) use(position_of(y.space, {d, h, w}), tap);
      }
    }
  }
}

}  // namespace spillway
