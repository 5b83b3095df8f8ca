#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

#include "device/cpu/bell.h"

namespace spillway {

/// That some work has completed: what an event records. Who has seen it completed has seen the work.
class FakeCompletion {
 public:
  void complete();
  [[nodiscard]] bool completed() const { return completed_.load(std::memory_order_acquire); }
  void wait();
  /// When, on a clock of the fake's. Requires: completed.
  [[nodiscard]] double seconds() const { return seconds_; }

 private:
  std::atomic<bool> completed_{false};
  double seconds_ = 0;
  Bell bell_;
};

/// A thread that runs commands in order. What the host did before push() is before the command; the command is before
/// nothing but later ones, until somebody waits. That is why the queue is one of links that only the other side reads,
/// without a lock: a lock would order the host behind the stream whenever it enqueues.
class FakeStreamThread {
 public:
  /// `failed` is set when a command throws; commands are skipped from then on.
  explicit FakeStreamThread(std::atomic<bool>& failed);
  /// Runs what is left.
  ~FakeStreamThread();
  FakeStreamThread(const FakeStreamThread&) = delete;
  FakeStreamThread& operator=(const FakeStreamThread&) = delete;

  /// `even_if_failed`: for what others wait for. One thread at a time.
  void push(std::function<void()> command, bool even_if_failed = false);
  /// No command follows. Doesn't wait.
  void finish();

  /// How many have been pushed. Same thread as push().
  [[nodiscard]] std::uint64_t pushed() const { return pushed_; }
  /// Whether so many have completed. If so, the caller is behind them.
  [[nodiscard]] bool completed(std::uint64_t commands) const;
  /// Waits for so many, and is behind them.
  void wait(std::uint64_t commands);
  /// Waits for so many, but orders nothing: where the hardware waits without a promise that it does.
  void wait_unordered(std::uint64_t commands);

 private:
  struct Link {
    std::function<void()> command;
    bool even_if_failed = false;
    bool last = false;
    std::atomic<Link*> next{nullptr};
  };
  void append(Link* link);
  void run(Link* before);

  std::atomic<bool>& failed_;
  Link* newest_;
  std::uint64_t pushed_ = 0;
  bool finished_ = false;
  Bell pushed_bell_, completed_bell_;
  std::atomic<std::uint64_t> completed_{0};
  std::thread thread_;
};

/// Whether the calling thread works for a stream or a graph. CUDA allows no calls from there.
[[nodiscard]] bool& on_fake_gpu();

}  // namespace spillway
