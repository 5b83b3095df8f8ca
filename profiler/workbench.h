#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

#include "device/device.h"

namespace spillway {

/// A direction over the host link: in is host pool -> arena.
enum class CopyWay { in, out };

[[nodiscard]] constexpr CopyWay opposite(CopyWay way) {
  return way == CopyWay::in ? CopyWay::out : CopyWay::in;
}

/// A device set up for measuring: one stream of each kind, an arena with room for one op and for copies beside it, a
/// host pool full of random numbers. One thread uses it; the device must outlive it.
class Workbench {
 public:
  /// Commands that a stream takes between two waits for its end.
  static constexpr std::size_t kCommands = 4096;

  /// `operands`: arena bytes for the largest op. Throws Error (exit 3) when the device can't have them.
  Workbench(Device& device, Bytes operands);
  /// Releases what is held, so that a measurement that was given up leaves no stream behind.
  ~Workbench();
  Workbench(const Workbench&) = delete;
  Workbench& operator=(const Workbench&) = delete;

  [[nodiscard]] Device& device() const { return device_; }
  [[nodiscard]] StreamId compute() const { return compute_; }
  [[nodiscard]] StreamId stream(CopyWay way) const { return way == CopyWay::in ? swap_in_ : swap_out_; }
  /// Where an op's operands begin in the arena.
  [[nodiscard]] Bytes operands() const { return 2 * copy_area_; }
  /// Arena bytes from there on.
  [[nodiscard]] Bytes room() const { return room_; }
  /// The largest copy that can be measured.
  [[nodiscard]] Bytes copy_area() const { return copy_area_; }
  /// Arena and host pool together.
  [[nodiscard]] Bytes allocated() const { return allocated_; }

  /// A value that no event has had: counts up.
  [[nodiscard]] std::uint64_t next_value() { return ++value_; }
  /// Waits until all that was enqueued to the stream has completed.
  void finish(StreamId stream);
  /// Holds a stream, one at a time, from here on until `release`, so that all that it shall run can be enqueued first.
  /// It goes on by itself after five seconds: whatever the caller waits for while it is held must not wait for ever.
  void hold(StreamId stream);
  void release();
  /// After an error: releases what is held and waits for the compute stream.
  void recover();

  /// Enqueues a copy. Consecutive ones go through all of the area for copies, so that no cache helps them.
  void enqueue_copy(CopyWay way, Bytes size);
  /// Fills arena bytes with numbers in [0.5, 1.5), which neither grow into infinities nor shrink into denormals in a
  /// few runs of any op; returns when they are there.
  void fill_uniform(Bytes arena_at, Bytes size);
  /// Fills arena bytes with `pattern` again and again; returns when they are there.
  /// Requires: `size` is a multiple of the pattern's, that one divides 1 MiB.
  void fill_pattern(Bytes arena_at, Bytes size, std::span<const std::byte> pattern);

 private:
  void fill(Bytes arena_at, Bytes size, Bytes host_from, Bytes chunk);

  Device& device_;
  Bytes copy_area_, room_, allocated_;
  StreamId compute_, swap_in_, swap_out_;
  EventId completed_;
  std::uint64_t value_ = 0;
  std::array<Bytes, 2> next_copy_;  // by way
  StreamId held_;
  /// What the held stream looks at.
  struct Hold {
    std::mutex mutex;
    std::condition_variable released;
    bool is_held = false;
  } hold_;
};

}  // namespace spillway
