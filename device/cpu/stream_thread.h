#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "device/cpu/command_queue.h"
#include "device/cpu/events.h"
#include "device/cpu/failures.h"
#include "device/cpu/function_thread.h"
#include "device/cpu/thread_sanitizer.h"

namespace spillway {

/// A stream as its thread sees it. Only `queue.push` is for another thread.
struct Lane {
  explicit Lane(std::size_t commands) : queue(commands) {}

  CommandQueue queue;
  Command current;  ///< the one being served, if `busy`
  bool busy = false;
  bool failed = false;                        ///< skip everything but records and waits
  bool calling = false;                       ///< `functions` runs the current one; copy streams only
  Seconds ready;                              ///< when all before `current` had completed; copy streams only
  Track track;                                ///< copy streams only
  std::unique_ptr<FunctionThread> functions;  ///< copy streams only
};

/// A thread that serves streams, each in its order, none held up by another one's wait. Subclasses say how a command is
/// served.
class StreamThread {
 public:
  StreamThread(const char* name, Listener listener, Events& events, Failures& failures);
  virtual ~StreamThread() = default;
  StreamThread(const StreamThread&) = delete;
  StreamThread& operator=(const StreamThread&) = delete;

  /// Adds a stream. One thread adds and enqueues at a time; the returned lane stays.
  [[nodiscard]] Lane& add(std::unique_ptr<Lane> lane);
  void enqueue(Lane& lane, const Command& command);

 protected:
  /// Goes on with lane.current as far as possible without waiting. Returns `stuck` if nothing could be done.
  enum class Progress { stuck, moved, completed };
  [[nodiscard]] virtual Progress serve(Lane& lane) = 0;

  /// For serve() when stuck: come back at this time even if nothing rings. A nap may end some 50 us late.
  void nap_until(Seconds time);
  /// The same, but to the microsecond: the last part is spent polling.
  void return_at(Seconds time);

  /// Subclasses start the thread when they are complete and stop it before they are taken apart.
  void start();
  /// Commands not yet served are dropped.
  void stop();

  [[nodiscard]] Seconds now() const { return events_.clock().now(); }
  [[nodiscard]] Events& events() { return events_; }
  [[nodiscard]] Failures& failures() { return failures_; }
  [[nodiscard]] Bell& bell() { return events_.bell(listener_); }

 private:
  void run();
  void rest(std::uint32_t seen);

  static constexpr std::size_t kMostLanes = 64;
  const char* name_;
  Listener listener_;
  Events& events_;
  Failures& failures_;
  std::array<std::unique_ptr<Lane>, kMostLanes> lanes_;
  std::atomic<std::size_t> lane_count_{0};
  std::atomic<bool> stop_{false};
  Seconds wake_;       ///< when to come back at the latest
  bool poll_ = false;  ///< don't sleep at all
  std::thread thread_;
};

}  // namespace spillway
