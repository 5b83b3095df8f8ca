#pragma once

#include "device/cuda/elements/host_device.h"

namespace spillway {

/// One element of a tensor; `position` counts the space in [D, H, W] order.
struct TensorPlace {
  std::int64_t sample, channel, position;
};

/// [N, C, D, H, W] in either layout, ones for spatial extents that the tensor lacks. Unpadded.
struct TensorGrid {
  std::int64_t samples, channels, space[3];
  std::int64_t positions;  ///< the product of `space`
  bool channels_last;

  [[nodiscard]] SPILLWAY_HD std::int64_t count() const { return samples * channels * positions; }
  [[nodiscard]] SPILLWAY_HD std::int64_t channel_stride() const { return channels_last ? 1 : positions; }
  [[nodiscard]] SPILLWAY_HD std::int64_t position_stride() const { return channels_last ? channels : 1; }
  [[nodiscard]] SPILLWAY_HD std::int64_t sample_stride() const { return channels * positions; }

  /// Index in memory.
  [[nodiscard]] SPILLWAY_HD std::int64_t at(std::int64_t sample, std::int64_t channel, std::int64_t position) const {
    return sample * sample_stride() + channel * channel_stride() + position * position_stride();
  }
  /// What lies at an index in memory. Kernels go over memory, so that neighbouring threads touch neighbouring bytes.
  [[nodiscard]] SPILLWAY_HD TensorPlace locate(std::int64_t index) const {
    const Division by_sample = divide(index, sample_stride());
    const Division inner = divide(by_sample.remainder, channels_last ? channels : positions);
    if (channels_last) return {by_sample.quotient, inner.remainder, inner.quotient};
    return {by_sample.quotient, inner.quotient, inner.remainder};
  }
};

/// A position of space by its three coordinates.
struct SpacePoint {
  std::int64_t d, h, w;
};
[[nodiscard]] SPILLWAY_HD inline SpacePoint point_of(const std::int64_t (&space)[3], std::int64_t position) {
  const Division plane = divide(position, space[1] * space[2]);
  const Division line = divide(plane.remainder, space[2]);
  return {plane.quotient, line.quotient, line.remainder};
}
[[nodiscard]] SPILLWAY_HD inline std::int64_t position_of(const std::int64_t (&space)[3], const SpacePoint& point) {
  return (point.d * space[1] + point.h) * space[2] + point.w;
}

/// Elements of one group, numbered by sample and position.
struct GroupRow {
  std::int64_t first, position_stride, sample_stride, positions;

  [[nodiscard]] SPILLWAY_HD std::int64_t at(std::int64_t term) const {
    if (term < positions) return first + term * position_stride;
    const Division by_sample = divide(term, positions);
    return first + by_sample.quotient * sample_stride + by_sample.remainder * position_stride;
  }
};

/// What is added up together: the positions of one sample's channel (groups in [N, C] order), or those of a channel in
/// all samples (groups in [C] order).
struct ChannelGroups {
  TensorGrid grid;
  bool per_sample;

  [[nodiscard]] SPILLWAY_HD std::int64_t count() const {
    return per_sample ? grid.samples * grid.channels : grid.channels;
  }
  /// Elements of a group.
  [[nodiscard]] SPILLWAY_HD std::int64_t terms() const {
    return per_sample ? grid.positions : grid.samples * grid.positions;
  }
  [[nodiscard]] SPILLWAY_HD std::int64_t channel(std::int64_t group) const {
    return per_sample ? divide(group, grid.channels).remainder : group;
  }
  [[nodiscard]] SPILLWAY_HD std::int64_t group(const TensorPlace& place) const {
    return per_sample ? place.sample * grid.channels + place.channel : place.channel;
  }
  [[nodiscard]] SPILLWAY_HD GroupRow row(std::int64_t group) const {
    const Division by_sample = divide(group, grid.channels);
    return {grid.at(by_sample.quotient, by_sample.remainder, 0), grid.position_stride(), grid.sample_stride(),
            grid.positions};
  }
};

}  // namespace spillway
