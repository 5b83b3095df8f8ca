#pragma once

#include <atomic>
#include <thread>

#include "device/cpu/bell.h"
#include "device/cpu/failures.h"

namespace spillway {

/// Runs the host functions of one copy stream, so that a function that takes its time doesn't hold the other copy
/// stream, which the mover serves too.
class FunctionThread {
 public:
  /// Rings `finished` at the end of each function; keeps what it throws in `failures`. Both must outlive this.
  FunctionThread(Bell& finished, Failures& failures);
  /// Waits for the running function's end.
  ~FunctionThread();
  FunctionThread(const FunctionThread&) = delete;
  FunctionThread& operator=(const FunctionThread&) = delete;

  /// Starts the function and returns. Requires: finished() has been true for the one before.
  void start(void (*function)(void*), void* argument);
  /// Whether the function started last has finished.
  [[nodiscard]] bool finished() const { return state_.load(std::memory_order_acquire) == State::finished; }
  /// Whether a function has thrown.
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }

 private:
  enum class State { started, finished };
  void run();

  Bell& finished_bell_;
  Failures& failures_;
  Bell bell_;
  std::atomic<State> state_{State::finished};
  std::atomic<bool> failed_{false}, stop_{false};
  std::atomic<void (*)(void*)> function_{nullptr};
  std::atomic<void*> argument_{nullptr};
  std::thread thread_;
};

}  // namespace spillway
