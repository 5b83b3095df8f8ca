#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "device/device.h"

namespace spillway {

/// Adds the ranks' floats up in host memory, in place; every rank calls it with pieces of the same sizes.
using HostSum = std::function<void(std::span<const std::span<float>> pieces, float scale)>;

/// Where the floats of a device's all-reduces are added up.
enum class RankSumPlace {
  device,     ///< by enqueue_all_reduce
  arena,      ///< by the host, in the arena itself
  host_pool,  ///< by the host, in a staging area of the host pool that they are copied to and from
};
[[nodiscard]] RankSumPlace rank_sum_place(Device& device);

/// One all-reduce of pieces of the arena, enqueued again and again.
class RankSum {
 public:
  /// Bytes of staging that an all-reduce of these pieces takes on this device; 0 where it needs none.
  [[nodiscard]] static Bytes staging(Device& device, std::span<const ArenaPiece> pieces);
  /// Commands that one `enqueue` gives to a stream.
  [[nodiscard]] static std::size_t commands(Device& device, std::span<const ArenaPiece> pieces);

  /// `staging` is an offset in the host pool, a multiple of a float's size, with room for what `staging(...)` says;
  /// all-reduces that are enqueued to one stream may share it. `sum` adds up where the device doesn't. The device
  /// outlives this, and this outlives everything enqueued, graphs included.
  /// Requires: the device has been allocated, and isn't allocated again.
  RankSum(Device& device, std::vector<ArenaPiece> pieces, Bytes staging, HostSum sum, float scale);
  RankSum(const RankSum&) = delete;
  RankSum& operator=(const RankSum&) = delete;

  /// Enqueues it to a stream, in order with what the stream has. What the sum throws comes out of the next `wait`.
  void enqueue(StreamId stream);

 private:
  void enqueue_staged(StreamId stream);
  static void add_up(void* rank_sum);

  Device& device_;
  RankSumPlace place_;
  std::vector<ArenaPiece> pieces_;
  Bytes staging_;
  std::vector<std::span<float>> on_host_;  ///< the same floats, as the host sees them
  HostSum sum_;
  float scale_;
};

}  // namespace spillway
