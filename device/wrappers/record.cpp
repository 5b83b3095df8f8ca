#include "device/wrappers/record.h"

#include <utility>

#include "device/wrappers/forward.h"

namespace spillway {
namespace {

using Kind = RecordedCommand::Kind;

class RecordingDevice final : public ForwardingDevice {
 public:
  RecordingDevice(Device& inner, std::vector<RecordedCommand>& log) : ForwardingDevice(inner), log_(log) {}

  void enqueue_op(StreamId stream, KernelId kernel, const OpAddresses& addresses) override {
    ForwardingDevice::enqueue_op(stream, kernel, addresses);
    RecordedCommand& command = append(Kind::op, stream);
    command.kernel = kernel;
    command.inputs.assign(addresses.inputs.begin(), addresses.inputs.end());
    command.outputs.assign(addresses.outputs.begin(), addresses.outputs.end());
    command.workspace = addresses.workspace;
  }
  void enqueue_swap_out(StreamId stream, Bytes arena_from, Bytes host_to, Bytes size) override {
    ForwardingDevice::enqueue_swap_out(stream, arena_from, host_to, size);
    append_copy(Kind::swap_out, stream, arena_from, host_to, size);
  }
  void enqueue_swap_in(StreamId stream, Bytes host_from, Bytes arena_to, Bytes size) override {
    ForwardingDevice::enqueue_swap_in(stream, host_from, arena_to, size);
    append_copy(Kind::swap_in, stream, host_from, arena_to, size);
  }
  void enqueue_record(StreamId stream, EventId event, std::uint64_t value) override {
    ForwardingDevice::enqueue_record(stream, event, value);
    append_event(Kind::record, stream, event, value);
  }
  void enqueue_wait(StreamId stream, EventId event, std::uint64_t value) override {
    ForwardingDevice::enqueue_wait(stream, event, value);
    append_event(Kind::wait, stream, event, value);
  }
  void enqueue_host_function(StreamId stream, void (*function)(void*), void* argument) override {
    ForwardingDevice::enqueue_host_function(stream, function, argument);
    append(Kind::host_function, stream).argument = argument;
  }
  void enqueue_all_reduce(StreamId stream, std::span<const ArenaPiece> pieces, float scale) override {
    ForwardingDevice::enqueue_all_reduce(stream, pieces, scale);
    append(Kind::all_reduce, stream).pieces.assign(pieces.begin(), pieces.end());
  }
  void enqueue_cache_flush(StreamId stream) override {
    ForwardingDevice::enqueue_cache_flush(stream);
    append(Kind::cache_flush, stream);
  }
  void note_last_use(StreamId stream, ResidencyId residency, Bytes offset, Bytes size, int users) override {
    ForwardingDevice::note_last_use(stream, residency, offset, size, users);
    RecordedCommand& command = append(Kind::last_use, stream);
    command.residency = residency;
    command.from = offset;
    command.size = size;
    command.users = users;
  }

 private:
  RecordedCommand& append(Kind kind, StreamId stream) {
    RecordedCommand command;
    command.kind = kind;
    command.stream = stream;
    return log_.emplace_back(std::move(command));
  }
  void append_copy(Kind kind, StreamId stream, Bytes from, Bytes to, Bytes size) {
    RecordedCommand& command = append(kind, stream);
    command.from = from;
    command.to = to;
    command.size = size;
  }
  void append_event(Kind kind, StreamId stream, EventId event, std::uint64_t value) {
    RecordedCommand& command = append(kind, stream);
    command.event = event;
    command.value = value;
  }

  std::vector<RecordedCommand>& log_;
};

}  // namespace

std::unique_ptr<Device> recorded(Device& device, std::vector<RecordedCommand>& log) {
  return std::make_unique<RecordingDevice>(device, log);
}

}  // namespace spillway
