#pragma once

#include <atomic>
#include <cstdint>
#include <ctime>

namespace spillway {

/// What a thread sleeps on until something that it waits for may have happened.
///
/// Read strokes(), look whether there is work, and if not sleep with the number read: a stroke in between ends the
/// sleep at once. A futex and not a condition variable, because the mutex of the latter would order all streams in
/// ThreadSanitizer's eyes and so hide missing waits. A bell orders nothing: what was written before ring() must be
/// published by other means.
class Bell {
 public:
  [[nodiscard]] std::uint32_t strokes() const;
  /// Wakes every sleeper. Costs no system call while there is none.
  void ring();
  /// Returns when strokes() != `seen`, or at `deadline` (on CLOCK_MONOTONIC; null: never), or now and then for no
  /// reason.
  void sleep(std::uint32_t seen, const timespec* deadline = nullptr);

 private:
  std::atomic<std::uint32_t> strokes_{0};
  std::atomic<int> sleepers_{0};
};

}  // namespace spillway
