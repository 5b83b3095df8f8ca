#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "device/device.h"

namespace spillway {

/// A device that hands every call on to another one, which must outlive it: what wrappers derive from.
class ForwardingDevice : public Device {
 public:
  explicit ForwardingDevice(Device& inner) : inner_(inner) {}

  [[nodiscard]] const DeviceProperties& properties() const override { return inner_.properties(); }
  void allocate(Bytes arena, Bytes host_pool) override { inner_.allocate(arena, host_pool); }
  [[nodiscard]] std::span<std::byte> host_pool() override { return inner_.host_pool(); }
  [[nodiscard]] StreamId create_stream(StreamRole role, std::size_t commands) override {
    return inner_.create_stream(role, commands);
  }
  [[nodiscard]] EventId create_event() override { return inner_.create_event(); }
  [[nodiscard]] std::vector<KernelOption> kernels(const OpDescription& op) override { return inner_.kernels(op); }
  [[nodiscard]] KernelId prepare(const OpDescription& op, const std::string& kernel) override {
    return inner_.prepare(op, kernel);
  }
  void enqueue_op(StreamId stream, KernelId kernel, const OpAddresses& addresses) override {
    inner_.enqueue_op(stream, kernel, addresses);
  }
  void enqueue_swap_out(StreamId stream, Bytes arena_from, Bytes host_to, Bytes size) override {
    inner_.enqueue_swap_out(stream, arena_from, host_to, size);
  }
  void enqueue_swap_in(StreamId stream, Bytes host_from, Bytes arena_to, Bytes size) override {
    inner_.enqueue_swap_in(stream, host_from, arena_to, size);
  }
  void enqueue_record(StreamId stream, EventId event, std::uint64_t value) override {
    inner_.enqueue_record(stream, event, value);
  }
  void enqueue_wait(StreamId stream, EventId event, std::uint64_t value) override {
    inner_.enqueue_wait(stream, event, value);
  }
  void enqueue_host_function(StreamId stream, void (*function)(void*), void* argument) override {
    inner_.enqueue_host_function(stream, function, argument);
  }
  void enqueue_cache_flush(StreamId stream) override { inner_.enqueue_cache_flush(stream); }
  void wait(EventId event, std::uint64_t value) override { inner_.wait(event, value); }
  [[nodiscard]] Seconds time_of(EventId event) const override { return inner_.time_of(event); }
  [[nodiscard]] Seconds elapsed(EventId from, EventId to) const override { return inner_.elapsed(from, to); }
  /// What `enqueue` calls comes by here too.
  std::optional<GraphId> capture(const std::function<void()>& enqueue) override { return inner_.capture(enqueue); }
  void replay(GraphId graph) override { inner_.replay(graph); }
  bool join_ranks(const RankMeeting& meeting) override { return inner_.join_ranks(meeting); }
  [[nodiscard]] std::string all_reduce() const override { return inner_.all_reduce(); }
  void enqueue_all_reduce(StreamId stream, std::span<const ArenaPiece> pieces, float scale) override {
    inner_.enqueue_all_reduce(stream, pieces, scale);
  }
  /// What `run` calls comes by here too.
  [[nodiscard]] std::optional<ObservedKernels> observe(const std::function<void()>& run) override {
    return inner_.observe(run);
  }
  [[nodiscard]] std::optional<ClockReading> read_clocks() override { return inner_.read_clocks(); }
  [[nodiscard]] std::optional<DeviceMemory> memory() const override { return inner_.memory(); }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> facts() const override { return inner_.facts(); }
  [[nodiscard]] std::byte* arena_on_host() override { return inner_.arena_on_host(); }
  void note_last_use(StreamId stream, ResidencyId residency, Bytes offset, Bytes size, int users) override {
    inner_.note_last_use(stream, residency, offset, size, users);
  }

 protected:
  [[nodiscard]] Device& inner() { return inner_; }

 private:
  Device& inner_;
};

}  // namespace spillway
