#include "device/cpu/command_queue.h"

#include <fmt/format.h>

#include "core/error.h"
#include "device/cpu/thread_sanitizer.h"

namespace spillway {

void CommandQueue::push(const Command& command) {
  const std::uint64_t pushed = pushed_.load(std::memory_order_relaxed);
  const std::uint64_t taken = [&] {
    // Reading how far the stream is must not count as having waited for it, or ThreadSanitizer would find an order
    // between this stream and all that is enqueued next to others.
    const UnorderedHere unordered;
    return taken_.load(std::memory_order_acquire);
  }();
  SPILLWAY_CHECK(pushed - taken < slots_.size(),
                 fmt::format("a stream made for {} commands got more before its end was waited for", slots_.size()));
  slots_[pushed % slots_.size()] = command;
  pushed_.store(pushed + 1, std::memory_order_release);
}

bool CommandQueue::take(Command& command) {
  const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
  if (taken == pushed_.load(std::memory_order_acquire)) return false;
  command = slots_[taken % slots_.size()];
  taken_.store(taken + 1, std::memory_order_release);
  return true;
}

}  // namespace spillway
