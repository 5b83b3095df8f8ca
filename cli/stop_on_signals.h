#pragma once

#include <atomic>

namespace spillway {

/// Turns Ctrl-C and SIGTERM into a wish to stop, as long as it lives; the second one ends the process at once. One at a
/// time.
class StopOnSignals {
 public:
  StopOnSignals();
  ~StopOnSignals();
  StopOnSignals(const StopOnSignals&) = delete;
  StopOnSignals& operator=(const StopOnSignals&) = delete;

  /// Becomes true at the first signal.
  [[nodiscard]] const std::atomic<bool>& asked() const;
};

}  // namespace spillway
