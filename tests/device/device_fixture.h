#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "device/device.h"

namespace spillway {

/// A device with one stream of each copy direction and one for compute, and what tests do with them again and again.
class Rig {
 public:
  static constexpr std::size_t kCommands = 256;

  explicit Rig(Device& rigged, Bytes arena = 4_MiB, Bytes host_pool = 4_MiB)
      : device(rigged), last_(rigged.create_event()) {
    device.allocate(arena, host_pool);
    compute = device.create_stream(StreamRole::compute, kCommands);
    swap_out = device.create_stream(StreamRole::swap_out, kCommands);
    swap_in = device.create_stream(StreamRole::swap_in, kCommands);
  }

  /// Waits for all that was enqueued to the stream.
  void finish(StreamId stream) {
    device.enqueue_record(stream, last_, ++value_);
    device.wait(last_, value_);
  }
  /// Waits for all that was enqueued. No stream is given anything more once another one was waited for: that would
  /// order what it hasn't done yet behind what the other one did.
  void finish_all() {
    const std::array streams{compute, swap_out, swap_in};
    std::array<EventId, streams.size()> ends;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      ends[i] = device.create_event();
      device.enqueue_record(streams[i], ends[i], 1);
    }
    for (const EventId end : ends) device.wait(end, 1);
  }
  /// Makes `later` wait for all that was enqueued to `earlier`.
  void order(StreamId earlier, StreamId later) {
    const EventId event = device.create_event();
    device.enqueue_record(earlier, event, 1);
    device.enqueue_wait(later, event, 1);
  }
  /// Writes to the host pool and copies that to the same offset of the arena, completely.
  void to_arena(std::size_t offset, std::span<const std::byte> bytes) {
    std::copy(bytes.begin(), bytes.end(), device.host_pool().begin() + static_cast<std::ptrdiff_t>(offset));
    const Bytes at{static_cast<std::int64_t>(offset)};
    device.enqueue_swap_in(swap_in, at, at, {static_cast<std::int64_t>(bytes.size())});
    finish(swap_in);
  }
  /// The opposite.
  std::span<std::byte> from_arena(std::size_t offset, std::size_t size) {
    const Bytes at{static_cast<std::int64_t>(offset)};
    device.enqueue_swap_out(swap_out, at, at, {static_cast<std::int64_t>(size)});
    finish(swap_out);
    return device.host_pool().subspan(offset, size);
  }

  Device& device;
  StreamId compute, swap_out, swap_in;

 private:
  EventId last_;
  std::uint64_t value_ = 0;
};

/// step -> step + 1, in place.
inline OpDescription advance_step() {
  const OperandDescription step{.type = ElementType::int64, .batched = false, .extents = {1}};
  return {.attributes = AdvanceStep{},
          .layout = Layout::channels_last,
          .inputs = {step},
          .outputs = {step},
          .in_place = {0}};
}

/// a + b, `count` numbers each.
inline OpDescription add(std::int64_t count) {
  const OperandDescription numbers{.type = ElementType::float32, .batched = true, .extents = {1, count}};
  return {.attributes = Add{},
          .layout = Layout::channels_last,
          .inputs = {numbers, numbers},
          .outputs = {numbers},
          .in_place = {-1}};
}

}  // namespace spillway
