#pragma once

#include "device/cuda/elements/rows.h"
#include "device/cuda/elements/window_shape.h"

// Direct convolutions. Products of floats are exact in double, so a sum's bits depend on its order alone.
// Weights are [K, C, taps].

namespace spillway {

struct ConvolutionShape3d {
  TensorGrid x, y;
  WindowShape window;
};

/// Index: an element of y.
struct ConvolutionElement {
  const float *x, *weights, *bias;  ///< no bias: null
  float* y;
  ConvolutionShape3d shape;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = shape.y.locate(index);
    const std::int64_t channels = shape.x.channels, taps = shape.window.taps();
    const std::int64_t channel_stride = shape.x.channel_stride();
    const float* filter = weights + place.channel * channels * taps;
    double sum = bias == nullptr ? 0.0 : static_cast<double>(bias[place.channel]);
    for_each_source(shape.window, shape.x, shape.y, place.position, [&](std::int64_t position, std::int64_t tap) {
      const float* from = x + shape.x.at(place.sample, 0, position);
      for (std::int64_t c = 0; c < channels; ++c) {
        sum += static_cast<double>(from[c * channel_stride]) * static_cast<double>(filter[c * taps + tap]);
      }
    });
    y[index] = static_cast<float>(sum);
  }
};

/// Index: an element of dx.
struct ConvolutionBackwardDataElement {
  const float *dy, *weights;
  float* dx;
  ConvolutionShape3d shape;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = shape.x.locate(index);
    const std::int64_t filters = shape.y.channels, taps = shape.window.taps();
    const std::int64_t channel_stride = shape.y.channel_stride(), filter_stride = shape.x.channels * taps;
    const float* channel = weights + place.channel * taps;
    double sum = 0;
    for_each_user(shape.window, shape.x, shape.y, place.position, [&](std::int64_t position, std::int64_t tap) {
      const float* from = dy + shape.y.at(place.sample, 0, position);
      for (std::int64_t k = 0; k < filters; ++k) {
        sum += static_cast<double>(from[k * channel_stride]) * static_cast<double>(channel[k * filter_stride + tap]);
      }
    });
    dx[index] = static_cast<float>(sum);
  }
};

/// Row: an element of the weights; terms: samples and positions of y.
struct WeightGradient {
  using Sums = Totals<1>;
  struct One {
    const float *x, *dy;
    const ConvolutionShape3d* shape;
    std::int64_t x_first, dy_first;  ///< of the channel, of the filter
    SpacePoint tap;
    std::int64_t terms;
    SPILLWAY_HD void add(std::int64_t term, Sums& sums) const {
      const Division by_sample = divide(term, shape->y.positions);
      const SpacePoint source =
          source_of(shape->window, point_of(shape->y.space, by_sample.remainder), tap.d, tap.h, tap.w);
      if (!is_inside(shape->x.space, source)) return;
      const std::int64_t from = x_first + shape->x.at(by_sample.quotient, 0, position_of(shape->x.space, source));
      const std::int64_t to = dy_first + shape->y.at(by_sample.quotient, 0, by_sample.remainder);
      sums.value[0] += static_cast<double>(x[from]) * static_cast<double>(dy[to]);
    }
  };

  const float *x, *dy;
  ConvolutionShape3d shape;

  [[nodiscard]] SPILLWAY_HD One row(std::int64_t index) const {
    const Division by_tap = divide(index, shape.window.taps());
    const Division by_channel = divide(by_tap.quotient, shape.x.channels);
    return {x,
            dy,
            &shape,
            by_channel.remainder * shape.x.channel_stride(),
            by_channel.quotient * shape.y.channel_stride(),
            point_of(shape.window.kernel, by_tap.remainder),
            shape.y.samples * shape.y.positions};
  }
};
using WeightGradientRow = WholeRow<WeightGradient>;
using WeightGradientPartRow = PartRow<WeightGradient>;

}  // namespace spillway
