#include "device/cpu/device.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "device/checks.h"
#include "device/cpu/guarded_memory.h"
#include "device/cpu/kernel.h"
#include "device/cpu/machine.h"
#include "device/cpu/mover.h"
#include "device/cpu/op_thread.h"
#include "device/cpu/thread_sanitizer.h"

namespace spillway {
namespace {

constexpr Bytes kAlignment{64};          // a cache line, and oneDNN's widest vector
constexpr Bytes kMostFlushed = 256_MiB;  // some machines report an L3 of gigabytes, all sockets together

LinkRates rates_of(const DeviceSpec& spec) {
  LinkRates rates;
  if (spec.in) rates.in = spec.in->value;
  if (spec.out) rates.out = spec.out->value;
  if (spec.both) rates.both = spec.both->value;
  return rates;
}

/// Throws Error (exit 3) unless this machine's memcpy carries both directions at once.
void refuse_impossible(const DeviceSpec& spec) {
#ifndef SPILLWAY_THREAD_SANITIZER  // under which no speed means anything
  const double in = spec.in ? spec.in->value : 0, out = spec.out ? spec.out->value : 0;
  double asked = in + out;
  if (spec.both) asked = in > 0 && out > 0 ? std::min(asked, spec.both->value) : spec.both->value;
  if (asked <= 0) return;
  const BytesPerSecond possible = measure_copy_rate();
  if (asked > possible.value) {
    throw machine_error(fmt::format("--device {}: this machine copies {}, in and out together; ask for at most that",
                                    to_text(spec), to_text(possible)));
  }
#else
  static_cast<void>(spec);
#endif
}

HostLink link_of(const DeviceSpec& spec) {
  const auto rate = [](const std::optional<BytesPerSecond>& value) {
    return value ? Rate{*value, "set on the command line"} : Rate{{0}, "not set: as fast as memcpy"};
  };
  HostLink link{rate(spec.in), rate(spec.out), std::nullopt, spec.start.value_or(Seconds{0})};
  if (spec.both) link.both = rate(spec.both);
  return link;
}

bool is_copy_stream(StreamRole role) {
  return role == StreamRole::swap_out || role == StreamRole::swap_in;
}

std::vector<Bytes> sizes(const std::vector<OperandDescription>& operands) {
  std::vector<Bytes> result;
  for (const OperandDescription& operand : operands) result.push_back(bytes(operand));
  return result;
}

class CpuDevice final : public Device {
 public:
  explicit CpuDevice(const DeviceSpec& spec)
      : threads_(spec.threads.value_or(std::max(1, cores() - 1))),
        rates_(rates_of(spec)),
        start_(spec.start.value_or(Seconds{0})),
        flushed_(std::min(2 * last_level_cache(), kMostFlushed), "cache flush buffer", false) {
    DeviceSpec complete = spec;
    complete.threads = threads_;
    const Bytes free = free_memory().bytes;
    properties_ = {.name = cpu_name(),
                   .device = to_text(complete),
                   .library = cpu_library(),
                   .instruction_set = cpu_instruction_set(),
                   .threads = threads_,
                   .alignment = kAlignment,
                   .memory = free,
                   .host_memory = free,
                   .host_link = link_of(spec)};
  }

  [[nodiscard]] const DeviceProperties& properties() const override { return properties_; }

  void allocate(Bytes arena, Bytes host_pool) override {
    SPILLWAY_CHECK(arena.value >= 0 && host_pool.value >= 0, "a negative size");
    arena_ = {};
    host_pool_ = {};
    const FreeMemory free = free_memory();
    if (arena > free.bytes || host_pool > free.bytes - arena) {
      throw machine_error(
          fmt::format("device {}: an arena of {} and a host pool of {} were asked for, but {} are free ({})",
                      properties_.device, to_text(arena), to_text(host_pool), to_text(free.bytes), free.limit));
    }
    GuardedMemory arena_memory(arena, fmt::format("device {}: arena", properties_.device));
    host_pool_ = GuardedMemory(host_pool, fmt::format("device {}: host pool", properties_.device));
    arena_ = std::move(arena_memory);
  }

  [[nodiscard]] std::span<std::byte> host_pool() override { return host_pool_.bytes(); }
  [[nodiscard]] std::byte* arena_on_host() override { return arena_.bytes().data(); }

  [[nodiscard]] StreamId create_stream(StreamRole role, std::size_t commands) override {
    const std::size_t capacity = std::max<std::size_t>(1, commands);
    if (is_copy_stream(role)) {
      if (!mover_) mover_ = std::make_unique<Mover>(rates_, start_, events_, failures_);
      streams_.push_back({mover_.get(), &mover_->add_copy_stream(capacity), role});
    } else {
      const bool computes = role == StreamRole::compute;
      std::unique_ptr<OpThread>& thread = computes ? compute_ : other_;
      if (!thread) {
        thread = std::make_unique<OpThread>(computes ? "spill-compute" : "spill-other",
                                            computes ? Listener::compute : Listener::other, events_, failures_);
      }
      streams_.push_back({thread.get(), &thread->add(std::make_unique<Lane>(capacity)), role});
    }
    return StreamId(streams_.size() - 1);
  }

  [[nodiscard]] EventId create_event() override { return events_.create(); }

  [[nodiscard]] std::vector<KernelOption> kernels(const OpDescription& op) override {
    return cpu_kernels(op, threads_);
  }

  [[nodiscard]] KernelId prepare(const OpDescription& op, const std::string& kernel) override {
    const std::vector<KernelOption> options = cpu_kernels(op, threads_);
    const auto option = std::ranges::find(options, kernel, &KernelOption::id);
    if (option == options.end()) {
      std::vector<std::string> ids;
      for (const KernelOption& each : options) ids.push_back(each.id);
      throw no_such_kernel(properties_.device, op, kernel, ids);
    }
    SPILLWAY_CHECK(op.inputs.size() + op.outputs.size() <= RunOp::kMostOperands, "more operands than a command holds");
    kernels_.push_back({.kernel = make_cpu_kernel(op, kernel, threads_),
                        .inputs = sizes(op.inputs),
                        .outputs = sizes(op.outputs),
                        .workspace = option->workspace});
    return KernelId(kernels_.size() - 1);
  }

  void enqueue_op(StreamId stream, KernelId kernel, const OpAddresses& addresses) override {
    SPILLWAY_CHECK(kernel.index() < kernels_.size(), "no such kernel");
    PreparedKernel& prepared = kernels_[kernel.index()];
    SPILLWAY_CHECK(
        addresses.inputs.size() == prepared.inputs.size() && addresses.outputs.size() == prepared.outputs.size(),
        "one address per operand");
    RunOp op{.kernel = &prepared, .operands = {}, .workspace = nullptr};
    auto operand = op.operands.begin();
    for (std::size_t i = 0; i < prepared.inputs.size(); ++i)
      *operand++ = in_arena(addresses.inputs[i], prepared.inputs[i]);
    for (std::size_t i = 0; i < prepared.outputs.size(); ++i) {
      *operand++ = in_arena(addresses.outputs[i], prepared.outputs[i]);
    }
    if (prepared.workspace > Bytes{0}) op.workspace = in_arena(addresses.workspace, prepared.workspace);
    enqueue_off_link(stream, op);
  }

  void enqueue_swap_out(StreamId stream, Bytes arena_from, Bytes host_to, Bytes size) override {
    enqueue_copy(stream, {Direction::out, in_host_pool(host_to, size), in_arena(arena_from, size),
                          static_cast<std::size_t>(size.value), clock_.now()});
  }
  void enqueue_swap_in(StreamId stream, Bytes host_from, Bytes arena_to, Bytes size) override {
    enqueue_copy(stream, {Direction::in, in_arena(arena_to, size), in_host_pool(host_from, size),
                          static_cast<std::size_t>(size.value), clock_.now()});
  }
  void enqueue_record(StreamId stream, EventId event, std::uint64_t value) override {
    enqueue(stream, RaiseEvent{&events_[event], value});
  }
  void enqueue_wait(StreamId stream, EventId event, std::uint64_t value) override {
    enqueue(stream, WaitForEvent{&events_[event], value});
  }
  void enqueue_host_function(StreamId stream, void (*function)(void*), void* argument) override {
    enqueue(stream, CallFunction{function, argument});
  }
  void enqueue_cache_flush(StreamId stream) override {
    enqueue_off_link(stream, FlushCaches{flushed_.bytes().data(), flushed_.bytes().size()});
  }

  void wait(EventId id, std::uint64_t value) override {
    const Event& event = events_[id];
    Bell& bell = events_.bell(Listener::caller);
    while (true) {
      const std::uint32_t seen = bell.strokes();
      if (event.reached(value)) break;
      bell.sleep(seen);
    }
    failures_.rethrow();
  }

  [[nodiscard]] Seconds time_of(EventId event) const override { return events_[event].moved(); }

 private:
  struct ServedStream {
    StreamThread* thread;
    Lane* lane;
    StreamRole role;
  };

  static std::byte* part_of(std::span<std::byte> memory, Bytes offset, Bytes size, const char* what) {
    return within(memory.data(), {static_cast<std::int64_t>(memory.size())}, offset, size, what);
  }
  [[nodiscard]] std::byte* in_arena(Bytes offset, Bytes size) const {
    return part_of(arena_.bytes(), offset, size, "arena");
  }
  [[nodiscard]] std::byte* in_host_pool(Bytes offset, Bytes size) const {
    return part_of(host_pool_.bytes(), offset, size, "host pool");
  }

  [[nodiscard]] const ServedStream& served(StreamId stream) const {
    SPILLWAY_CHECK(stream.index() < streams_.size(), "no such stream");
    return streams_[stream.index()];
  }
  void enqueue(StreamId stream, const Command& command) {
    const ServedStream& to = served(stream);
    to.thread->enqueue(*to.lane, command);
  }
  void enqueue_copy(StreamId stream, const Copy& copy) {
    SPILLWAY_CHECK(is_copy_stream(served(stream).role), "a copy on a stream that isn't for copies");
    enqueue(stream, copy);
  }
  void enqueue_off_link(StreamId stream, const Command& command) {
    SPILLWAY_CHECK(!is_copy_stream(served(stream).role), "an op on a copy stream");
    enqueue(stream, command);
  }

  int threads_;
  LinkRates rates_;
  Seconds start_;
  DeviceProperties properties_;
  GuardedMemory arena_, host_pool_, flushed_;
  std::deque<PreparedKernel> kernels_;  // commands point into it
  Clock clock_;
  Events events_{clock_};
  Failures failures_;
  std::vector<ServedStream> streams_;
  // Last, so that no thread outlives what it works on.
  std::unique_ptr<Mover> mover_;
  std::unique_ptr<OpThread> compute_, other_;
};

}  // namespace

std::unique_ptr<Device> make_cpu_device(const DeviceSpec& spec) {
  refuse_impossible(spec);
  return std::make_unique<CpuDevice>(spec);
}

}  // namespace spillway
