#include "device/wrappers/delay.h"

#include <cerrno>
#include <ctime>

#include "core/philox.h"
#include "device/wrappers/forward.h"

namespace spillway {
namespace {

/// A host function. The argument isn't an address but the nanoseconds themselves, so that no storage has to live until
/// it runs.
void sleep_for(void* nanoseconds) {
  const auto value = reinterpret_cast<std::uintptr_t>(nanoseconds);
  timespec left{static_cast<time_t>(value / 1'000'000'000), static_cast<long>(value % 1'000'000'000)};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

class DelayingDevice final : public ForwardingDevice {
 public:
  DelayingDevice(Device& inner, const Delays& delays) : ForwardingDevice(inner), delays_(delays) {}

  [[nodiscard]] StreamId create_stream(StreamRole role, std::size_t commands) override {
    const StreamId stream = ForwardingDevice::create_stream(role, 2 * commands);
    if (roles_.size() <= stream.index()) roles_.resize(stream.index() + 1);
    roles_[stream] = role;
    return stream;
  }
  [[nodiscard]] KernelId prepare(const OpDescription& op, const std::string& kernel) override {
    const KernelId id = ForwardingDevice::prepare(op, kernel);
    Bytes sum;
    for (const OperandDescription& operand : op.inputs) sum += bytes(operand);
    for (const OperandDescription& operand : op.outputs) sum += bytes(operand);
    if (operand_bytes_.size() <= id.index()) operand_bytes_.resize(id.index() + 1);
    operand_bytes_[id] = sum;
    return id;
  }

  void enqueue_op(StreamId stream, KernelId kernel, const OpAddresses& addresses) override {
    hold(stream, random() + fixed(stream, operand_bytes_[kernel]));
    ForwardingDevice::enqueue_op(stream, kernel, addresses);
  }
  void enqueue_swap_out(StreamId stream, Bytes arena_from, Bytes host_to, Bytes size) override {
    hold(stream, random() + fixed(stream, size));
    ForwardingDevice::enqueue_swap_out(stream, arena_from, host_to, size);
  }
  void enqueue_swap_in(StreamId stream, Bytes host_from, Bytes arena_to, Bytes size) override {
    hold(stream, random() + fixed(stream, size));
    ForwardingDevice::enqueue_swap_in(stream, host_from, arena_to, size);
  }
  void enqueue_record(StreamId stream, EventId event, std::uint64_t value) override {
    hold(stream, random());
    ForwardingDevice::enqueue_record(stream, event, value);
  }
  void enqueue_wait(StreamId stream, EventId event, std::uint64_t value) override {
    hold(stream, random());
    ForwardingDevice::enqueue_wait(stream, event, value);
  }
  void enqueue_host_function(StreamId stream, void (*function)(void*), void* argument) override {
    hold(stream, random());
    ForwardingDevice::enqueue_host_function(stream, function, argument);
  }
  void enqueue_all_reduce(StreamId stream, std::span<const ArenaPiece> pieces, float scale) override {
    hold(stream, random());
    ForwardingDevice::enqueue_all_reduce(stream, pieces, scale);
  }
  void enqueue_cache_flush(StreamId stream) override {
    hold(stream, random());
    ForwardingDevice::enqueue_cache_flush(stream);
  }

 private:
  [[nodiscard]] Seconds random() {
    const std::uint64_t number = commands_++;
    const auto word =
        philox4x32_10({static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32), 0, 0},
                      {static_cast<std::uint32_t>(delays_.seed), static_cast<std::uint32_t>(delays_.seed >> 32)})[0];
    return delays_.longest * unit_interval(word);
  }
  [[nodiscard]] Seconds fixed(StreamId stream, Bytes size) const {
    const Delays::Fixed& fixed = delays_.of(roles_[stream]);
    return fixed.each + fixed.per_gigabyte * (static_cast<double>(size.value) / 1e9);
  }
  void hold(StreamId stream, Seconds time) {
    const auto nanoseconds = static_cast<std::uintptr_t>(time.value * 1e9);
    if (nanoseconds == 0) return;
    inner().enqueue_host_function(stream, sleep_for, reinterpret_cast<void*>(nanoseconds));
  }

  Delays delays_;
  std::uint64_t commands_ = 0;
  IdVector<StreamId, StreamRole> roles_;
  IdVector<KernelId, Bytes> operand_bytes_;
};

}  // namespace

std::unique_ptr<Device> delayed(Device& device, const Delays& delays) {
  return std::make_unique<DelayingDevice>(device, delays);
}

}  // namespace spillway
