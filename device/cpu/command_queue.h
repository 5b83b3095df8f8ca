#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "device/cpu/command.h"

namespace spillway {

/// The commands of one stream between the thread that enqueues and the thread that serves it. Its capacity is fixed, so
/// that pushing never allocates; pushing to a full queue is a failed SPILLWAY_CHECK.
class CommandQueue {
 public:
  explicit CommandQueue(std::size_t capacity) : slots_(capacity) {}

  /// The enqueuing thread's side.
  void push(const Command& command);

  /// The serving thread's side: moves the oldest command to `command` and frees its slot. False: there is none.
  [[nodiscard]] bool take(Command& command);

 private:
  std::vector<Command> slots_;
  std::atomic<std::uint64_t> pushed_{0}, taken_{0};
};

}  // namespace spillway
