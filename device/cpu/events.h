#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>

#include "device/cpu/bell.h"
#include "device/cpu/clock.h"
#include "device/device.h"

namespace spillway {

/// A counter that only goes up. Who has seen a value has also seen everything that happened before the counter was
/// raised to it.
class Event {
 public:
  [[nodiscard]] bool reached(std::uint64_t value) const { return value_.load(std::memory_order_acquire) >= value; }
  /// When it last moved.
  [[nodiscard]] Seconds moved() const { return {moved_.load(std::memory_order_relaxed)}; }
  /// A lower value than it has moves nothing.
  void raise(std::uint64_t value, Seconds now);

 private:
  std::atomic<std::uint64_t> value_{0};
  std::atomic<double> moved_{0};
};

/// Who sleeps until an event moves: one bell each.
enum class Listener : std::size_t { caller, compute, mover, other };

/// A device's events and the bells of those who wait for them.
class Events {
 public:
  explicit Events(const Clock& clock) : clock_(clock) {}

  /// Only the enqueuing thread creates and looks up; an Event's address stays.
  [[nodiscard]] EventId create();
  [[nodiscard]] Event& operator[](EventId id);
  [[nodiscard]] const Event& operator[](EventId id) const;

  /// Raises and wakes whoever may have waited for it. Any thread. The time is the caller's to read, since reading it
  /// writes to the stack, which is forbidden on a Track.
  void raise(Event& event, std::uint64_t value, Seconds now);
  [[nodiscard]] Bell& bell(Listener listener) { return bells_[static_cast<std::size_t>(listener)]; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  const Clock& clock_;
  std::deque<Event> events_;
  std::array<Bell, 4> bells_;
};

}  // namespace spillway
