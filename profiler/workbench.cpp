#include "profiler/workbench.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "core/error.h"
#include "core/fill.h"

namespace spillway {
namespace {

constexpr Bytes kLargestCopy = 64_MiB;
constexpr Bytes kLargestCopyToGpu = 1_GiB;  // where tensors are that large, and a copy takes 20 ms
constexpr Bytes kRandomBlock = 64_MiB;
constexpr Bytes kSmallestArea = 4_MiB;
constexpr Bytes kPatternArea = 1_MiB;
constexpr std::chrono::seconds kLongestHold{5};

/// As large as the largest copy, unless that would take memory that the ops need.
Bytes area_for_copies(const DeviceProperties& properties, Bytes operands) {
  const Bytes left{std::min(properties.memory - operands, properties.host_memory).value};
  Bytes area = properties.on_host ? kLargestCopy : kLargestCopyToGpu;
  // Two areas in the arena and two in the host pool, which on a CPU is the same memory; half stays free.
  while (area > kSmallestArea && area * 8 > left) area = Bytes{area.value / 4};
  return area;
}

}  // namespace

Workbench::Workbench(Device& device, Bytes operands)
    : device_(device),
      copy_area_(area_for_copies(device.properties(), operands)),
      room_(operands),
      compute_(device.create_stream(StreamRole::compute, kCommands)),
      swap_in_(device.create_stream(StreamRole::swap_in, kCommands)),
      swap_out_(device.create_stream(StreamRole::swap_out, kCommands)),
      completed_(device.create_event()) {
  const Bytes arena = this->operands() + operands, host_pool = 2 * copy_area_ + kPatternArea;
  device.allocate(arena, host_pool);
  allocated_ = arena + host_pool;
  // Random numbers over and over: no cache or compressor finds the repetition at this distance.
  const std::span<std::byte> random = device.host_pool().first(static_cast<std::size_t>(2 * copy_area_.value));
  const std::span<std::byte> block =
      random.first(std::min(random.size(), static_cast<std::size_t>(kRandomBlock.value)));
  spillway::fill_uniform({reinterpret_cast<float*>(block.data()), block.size() / sizeof(float)}, "profile", 1, 0.5,
                         1.5);
  for (std::size_t at = block.size(); at < random.size(); at += block.size())
    std::ranges::copy(block.first(std::min(block.size(), random.size() - at)),
                      random.begin() + static_cast<std::ptrdiff_t>(at));
}

void Workbench::finish(StreamId stream) {
  const std::uint64_t value = next_value();
  device_.enqueue_record(stream, completed_, value);
  device_.wait(completed_, value);
}

void Workbench::hold(StreamId stream) {
  hold_.is_held = true;
  held_ = stream;
  device_.enqueue_host_function(
      stream,
      [](void* held) {
        Hold& hold = *static_cast<Hold*>(held);
        std::unique_lock lock(hold.mutex);
        hold.released.wait_for(lock, kLongestHold, [&hold] { return !hold.is_held; });
      },
      &hold_);
}

void Workbench::release() {
  {
    const std::scoped_lock lock(hold_.mutex);
    hold_.is_held = false;
  }
  hold_.released.notify_all();
}

void Workbench::recover() {
  if (hold_.is_held) {
    release();
    finish(held_);
  }
  finish(compute_);
}

Workbench::~Workbench() {
  if (!hold_.is_held) return;
  release();
  try {
    finish(held_);  // it may still look at `hold_`
  } catch (...) {   // what failed has been told already
  }
}

void Workbench::enqueue_copy(CopyWay way, Bytes size) {
  SPILLWAY_CHECK(size <= copy_area_, "a copy larger than the area for copies");
  Bytes& next = next_copy_[static_cast<std::size_t>(way)];
  if (next + size > copy_area_) next = Bytes{0};
  if (way == CopyWay::in) {
    device_.enqueue_swap_in(swap_in_, next, next, size);
  } else {
    device_.enqueue_swap_out(swap_out_, copy_area_ + next, copy_area_ + next, size);
  }
  next += align_up(size, device_.properties().alignment);
}

void Workbench::fill_uniform(Bytes arena_at, Bytes size) {
  fill(arena_at, size, Bytes{0}, copy_area_);
}

void Workbench::fill_pattern(Bytes arena_at, Bytes size, std::span<const std::byte> pattern) {
  const Bytes at = 2 * copy_area_;
  const std::span<std::byte> area =
      device_.host_pool().subspan(static_cast<std::size_t>(at.value), static_cast<std::size_t>(kPatternArea.value));
  SPILLWAY_CHECK(area.size() % pattern.size() == 0, "a pattern that doesn't divide its area");
  for (std::size_t offset = 0; offset < area.size(); offset += pattern.size()) {
    std::memcpy(area.data() + offset, pattern.data(), pattern.size());
  }
  fill(arena_at, size, at, kPatternArea);
}

void Workbench::fill(Bytes arena_at, Bytes size, Bytes host_from, Bytes chunk) {
  std::size_t enqueued = 0;
  for (Bytes offset; offset < size; offset += chunk) {
    if (++enqueued % (kCommands / 2) == 0) finish(swap_in_);
    device_.enqueue_swap_in(swap_in_, host_from, arena_at + offset, std::min(chunk, size - offset));
  }
  finish(swap_in_);
}

}  // namespace spillway
