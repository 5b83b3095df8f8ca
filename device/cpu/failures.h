#pragma once

#include <atomic>
#include <exception>
#include <mutex>

namespace spillway {

/// Keeps the first exception of any stream until somebody waits. Any thread.
class Failures {
 public:
  void keep(std::exception_ptr failure) {
    const std::lock_guard lock(mutex_);
    if (!first_) first_ = std::move(failure);
    any_.store(true, std::memory_order_release);
  }

  /// Throws the first one kept, on this and every later call; returns if there is none.
  void rethrow() const {
    if (!any_.load(std::memory_order_acquire)) return;
    const std::lock_guard lock(mutex_);
    std::rethrow_exception(first_);
  }

 private:
  mutable std::mutex mutex_;
  std::exception_ptr first_;
  std::atomic<bool> any_{false};
};

}  // namespace spillway
