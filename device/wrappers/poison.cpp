#include "device/wrappers/poison.h"

#include <atomic>
#include <cstring>
#include <deque>

#include "core/error.h"
#include "device/wrappers/forward.h"

namespace spillway {
namespace {

constexpr int kPoison = 0xFF;

struct Stay {
  std::byte* bytes = nullptr;
  std::size_t size = 0;
  int users = 0;
  std::atomic<int> left{0};  ///< of the users of this step; who takes the last one sets it up for the next
};

/// A host function.
void count_down(void* argument) {
  Stay& stay = *static_cast<Stay*>(argument);
  // Only the last one is ordered behind the others: more order would hide missing waits from ThreadSanitizer.
  if (stay.left.fetch_sub(1, std::memory_order_release) > 1) return;
  static_cast<void>(stay.left.load(std::memory_order_acquire));
  std::memset(stay.bytes, kPoison, stay.size);
  stay.left.store(stay.users);
}

class PoisoningDevice final : public ForwardingDevice {
 public:
  explicit PoisoningDevice(Device& inner) : ForwardingDevice(inner) {}

  void allocate(Bytes arena, Bytes host_pool) override {
    ForwardingDevice::allocate(arena, host_pool);
    SPILLWAY_CHECK(arena == Bytes{0} || arena_on_host() != nullptr, "a device whose arena the host can't write");
    if (arena > Bytes{0}) std::memset(arena_on_host(), kPoison, static_cast<std::size_t>(arena.value));
    stays_.clear();
  }
  [[nodiscard]] StreamId create_stream(StreamRole role, std::size_t commands) override {
    return ForwardingDevice::create_stream(role, 2 * commands);
  }
  void note_last_use(StreamId stream, ResidencyId residency, Bytes offset, Bytes size, int users) override {
    ForwardingDevice::note_last_use(stream, residency, offset, size, users);
    SPILLWAY_CHECK(users > 0, "a last use without users");
    // Grows in the first step only. A deque, since commands point to its elements.
    while (stays_.size() <= residency.index()) stays_.emplace_back();
    Stay& stay = stays_[residency.index()];
    std::byte* const bytes = arena_on_host() + offset.value;
    const auto count = static_cast<std::size_t>(size.value);
    if (stay.bytes != bytes || stay.size != count || stay.users != users) {
      SPILLWAY_CHECK(stay.left.load() == stay.users, "a residency changes while it is in use");
      stay.bytes = bytes;
      stay.size = count;
      stay.users = users;
      stay.left.store(users);
    }
    inner().enqueue_host_function(stream, count_down, &stay);
  }

 private:
  std::deque<Stay> stays_;
};

}  // namespace

std::unique_ptr<Device> poisoned(Device& device) {
  return std::make_unique<PoisoningDevice>(device);
}

}  // namespace spillway
