#pragma once

#include <ctime>

#include "core/units.h"

namespace spillway {

/// A monotonic clock that starts at 0 when it is made. Any thread may read it.
class Clock {
 public:
  Clock() { clock_gettime(CLOCK_MONOTONIC, &origin_); }

  [[nodiscard]] Seconds now() const {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    return {static_cast<double>(time.tv_sec - origin_.tv_sec) +
            1e-9 * static_cast<double>(time.tv_nsec - origin_.tv_nsec)};
  }

  /// The same moment on CLOCK_MONOTONIC, as the kernel takes it. Requires: time >= 0.
  [[nodiscard]] timespec absolute(Seconds time) const {
    timespec result = origin_;
    const auto whole = static_cast<time_t>(time.value);
    result.tv_sec += whole;
    result.tv_nsec += static_cast<long>((time.value - static_cast<double>(whole)) * 1e9);
    if (result.tv_nsec >= 1'000'000'000) {
      result.tv_nsec -= 1'000'000'000;
      ++result.tv_sec;
    }
    return result;
  }

 private:
  timespec origin_{};
};

}  // namespace spillway
