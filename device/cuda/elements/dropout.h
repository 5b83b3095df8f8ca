#pragma once

#include "core/philox.h"
#include "device/cuda/elements/tensor_grid.h"

namespace spillway {

/// What each channel of each sample is multiplied by: index n * channels + c.
struct DropoutFactorElement {
  const std::int64_t *seed, *step, *first_sample;
  float* factors;
  std::int64_t channels, salt;
  double rate;

  [[nodiscard]] SPILLWAY_HD static std::uint32_t word(std::int64_t value) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(value));
  }
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const Division by_channel = divide(index, channels);
    const auto random =
        philox4x32_10({word(by_channel.remainder), word(*first_sample + by_channel.quotient), word(salt), word(*step)},
                      {word(*seed), word(*seed >> 32)});
    factors[index] = unit_interval(random[0]) >= rate ? static_cast<float>(1.0 / (1.0 - rate)) : 0.0F;
  }
};

/// y = x times its channel's factor.
struct ChannelScaleElement {
  const float *x, *factors;  ///< factors [N, C]
  float* y;
  TensorGrid grid;
  SPILLWAY_HD void operator()(std::int64_t index) const {
    const TensorPlace place = grid.locate(index);
    y[index] = x[index] * factors[place.sample * grid.channels + place.channel];
  }
};

}  // namespace spillway
