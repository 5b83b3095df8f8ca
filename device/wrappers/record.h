#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/device.h"

namespace spillway {

/// One call that enqueued something, with what it was given; fields that its kind doesn't have keep their defaults.
struct RecordedCommand {
  enum class Kind { op, swap_out, swap_in, record, wait, host_function, all_reduce, cache_flush, last_use };
  Kind kind = Kind::op;
  StreamId stream;
  KernelId kernel;
  std::vector<Bytes> inputs, outputs;
  Bytes workspace;
  Bytes from, to;  ///< copies; a last use's offset stands in `from`
  Bytes size;
  EventId event;
  std::uint64_t value = 0;
  void* argument = nullptr;        ///< of a host function
  std::vector<ArenaPiece> pieces;  ///< of an all-reduce
  ResidencyId residency;
  int users = 0;
  friend bool operator==(const RecordedCommand&, const RecordedCommand&) = default;
};

/// `device`, with every command appended to `log` as it is enqueued. Both must outlive the result. Enqueueing
/// allocates: for tests.
[[nodiscard]] std::unique_ptr<Device> recorded(Device& device, std::vector<RecordedCommand>& log);

}  // namespace spillway
