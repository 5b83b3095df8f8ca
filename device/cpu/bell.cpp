#include "device/cpu/bell.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "device/cpu/thread_sanitizer.h"

namespace spillway {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t),
              "the kernel reads the counter as a plain word");

std::uint32_t Bell::strokes() const {
  const UnorderedHere unordered;
  return strokes_.load();
}

void Bell::ring() {
  const UnorderedHere unordered;
  // Sequentially consistent on both sides: either we see the sleeper, or the kernel, which compares when it puts the
  // sleeper down, sees the new count.
  strokes_.fetch_add(1);
  if (sleepers_.load() > 0) {
    syscall(SYS_futex, &strokes_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
  }
}

void Bell::sleep(std::uint32_t seen, const timespec* deadline) {
  const UnorderedHere unordered;
  sleepers_.fetch_add(1);
  // The only form of this call whose deadline is absolute.
  syscall(SYS_futex, &strokes_, FUTEX_WAIT_BITSET_PRIVATE, seen, deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
  sleepers_.fetch_sub(1);
}

}  // namespace spillway
