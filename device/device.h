#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/clock_reading.h"
#include "core/error.h"
#include "core/ids.h"
#include "core/op_description.h"
#include "core/platform.h"
#include "core/rank_meeting.h"
#include "core/schedule.h"

namespace spillway {

using EventId = Id<struct EventTag>;
using KernelId = Id<struct KernelTag>;
using GraphId = Id<struct GraphTag>;

/// What a device is, for traces and for `doctor`.
struct DeviceProperties {
  std::string name;             ///< "AMD EPYC 9654"
  std::string device;           ///< the whole device string with every setting: "cpu:link=0.85GB/s,threads=1"
  std::string library;          ///< what its kernels come from: "oneDNN 2.6.3"
  std::string instruction_set;  ///< "avx512_core"
  int threads = 1;
  Bytes alignment;    ///< every arena and host-pool address is a multiple of it
  Bytes memory;       ///< what an arena could have at most now
  Bytes host_memory;  ///< what a host pool could have at most now
  HostLink host_link;
  bool on_host = true;      ///< ops run on the host's own cores, which other programs may take away from them
  std::string driver = {};  ///< "580.65.06 (CUDA 13.0)"; empty: it needs none
  std::string unit = {};    ///< tells two pieces of hardware apart, on all machines: a GPU's UUID; empty: can be shared
};

/// What is taken of a device's own memory.
struct DeviceMemory {
  Bytes total, free;
  Bytes before;  ///< taken when the device was made: its context, and whatever other programs have
  friend bool operator==(const DeviceMemory&, const DeviceMemory&) = default;
};

/// One way to run an op.
struct KernelOption {
  std::string id;            ///< fixes the bits: algorithm, library version, instruction set, thread count
  Bytes workspace;           ///< in the arena, beside the operands
  bool last_resort = false;  ///< slower than any other by far: there for ops that have no other
};

/// The kernels that a device itself saw running for a while.
struct ObservedKernels {
  struct Kernel {
    std::string name;
    Seconds seconds;
    friend bool operator==(const Kernel&, const Kernel&) = default;
  };
  std::string by;               ///< what looked: "CUPTI 13.0.1"
  std::vector<Kernel> kernels;  ///< in the order in which they began
  std::size_t lost = 0;         ///< kernels that ran too, but that it can't tell about
};

/// The arena addresses of one op: one per operand, in operand order.
struct OpAddresses {
  std::span<const Bytes> inputs, outputs;
  Bytes workspace;  ///< any value where the kernel needs none
};

/// Floats that lie side by side in the arena.
struct ArenaPiece {
  Bytes offset;
  std::int64_t floats = 0;
  friend bool operator==(const ArenaPiece&, const ArenaPiece&) = default;
};

/// Where ops run. Work is enqueued to streams; a stream runs it in order, streams run beside each other, and only
/// events order them. Between `allocate` and the last enqueue nothing is allocated and nothing synchronises: enqueueing
/// copies what it is given (addresses, not bytes) and returns. One thread enqueues at a time.
///
/// Failures of the machine throw Error (exit 3), from the call itself or, if they happened on a stream, from the next
/// `wait`.
class Device {
 public:
  virtual ~Device() = default;

  [[nodiscard]] virtual const DeviceProperties& properties() const = 0;

  /// The one arena and the one pinned host pool, both ready to use at full speed (touched, pinned). Called again: the
  /// old ones are freed first. Throws Error (exit 3) with what was asked and what is free.
  virtual void allocate(Bytes arena, Bytes host_pool) = 0;
  /// The host pool's bytes. The caller may touch them when no enqueued copy can.
  [[nodiscard]] virtual std::span<std::byte> host_pool() = 0;

  /// Makes a stream. `commands` is how many commands are ever enqueued between two waits for the stream's end.
  [[nodiscard]] virtual StreamId create_stream(StreamRole role, std::size_t commands) = 0;
  /// Makes an event: a counter that starts at 0 and keeps the time at which it last moved.
  [[nodiscard]] virtual EventId create_event() = 0;

  /// The kernels that can run this op, the best first; empty: none can. Same answer on every call and in every process.
  [[nodiscard]] virtual std::vector<KernelOption> kernels(const OpDescription& op) = 0;
  /// Makes ready the kernel with this id. Throws Error (exit 3) when this device has no such kernel for the op, saying
  /// which it has.
  [[nodiscard]] virtual KernelId prepare(const OpDescription& op, const std::string& kernel) = 0;

  /// Runs a prepared kernel on arena addresses.
  virtual void enqueue_op(StreamId stream, KernelId kernel, const OpAddresses& addresses) = 0;
  /// Copies arena -> host pool. `from` may be overwritten once the copy has completed, not before.
  virtual void enqueue_swap_out(StreamId stream, Bytes arena_from, Bytes host_to, Bytes size) = 0;
  /// Copies host pool -> arena.
  virtual void enqueue_swap_in(StreamId stream, Bytes host_from, Bytes arena_to, Bytes size) = 0;
  /// Raises the event to `value` when everything enqueued to the stream before has completed.
  virtual void enqueue_record(StreamId stream, EventId event, std::uint64_t value) = 0;
  /// Holds the stream until the event has reached `value`. Requires: the record that raises it there was enqueued
  /// before.
  virtual void enqueue_wait(StreamId stream, EventId event, std::uint64_t value) = 0;
  /// Runs `function(argument)` on the stream: all-reduces over host memory, wrappers and tests. What it throws comes
  /// out of the next `wait`.
  virtual void enqueue_host_function(StreamId stream, void (*function)(void*), void* argument) = 0;
  /// Makes every cache forget the arena.
  virtual void enqueue_cache_flush(StreamId stream) = 0;

  /// Blocks the caller until the event has reached `value`.
  virtual void wait(EventId event, std::uint64_t value) = 0;
  /// The time at which the event last moved, on this device's clock. Requires: it has moved, and the caller has waited
  /// for it.
  [[nodiscard]] virtual Seconds time_of(EventId event) const = 0;

  /// Seconds from one event's last move to another's, as exactly as the device can tell. Requires of both what time_of
  /// does.
  [[nodiscard]] virtual Seconds elapsed(EventId from, EventId to) const { return time_of(to) - time_of(from); }

  /// Calls `enqueue`, which enqueues one step, and makes of its commands a graph that `replay` runs again and again
  /// with fewer calls; none of them runs now. Events that it records order commands within the graph and have no times.
  /// Empty where the device has no graphs: `enqueue` isn't called then. Streams, events and kernels must be ready.
  [[nodiscard]] virtual std::optional<GraphId> capture(const std::function<void()>& enqueue) {
    static_cast<void>(enqueue);
    return std::nullopt;
  }
  /// Runs a captured step once and returns when it has completed. Throws what a `wait` would.
  virtual void replay(GraphId graph) { static_cast<void>(graph); }

  /// Makes all-reduces between this device and those of the other ranks ready. Collective; to be called before
  /// `allocate`, since it may take memory. False, on all ranks: they have none together, `facts` says why, and
  /// gradients go through host memory. Called again: joins anew. Throws Error (exit 3) when what all of them have
  /// fails.
  virtual bool join_ranks(const RankMeeting& meeting) {
    static_cast<void>(meeting);
    return false;
  }
  /// What adds up in enqueue_all_reduce, with all that decides its bits: "NCCL 2.28.9, algorithm Ring, protocol
  /// Simple". Empty: join_ranks hasn't returned true.
  [[nodiscard]] virtual std::string all_reduce() const { return {}; }
  /// Whether enqueue_all_reduce may be called.
  [[nodiscard]] bool has_all_reduce() const { return !all_reduce().empty(); }
  /// Each float of the pieces becomes the sum over all ranks, each of their values scaled, rounded in an order that is
  /// the same on every run and rank. Every rank enqueues the same sizes in the same order, all to one stream. A rank
  /// that fails, or is gone, comes out of the next `wait` where the device can tell.
  virtual void enqueue_all_reduce(StreamId stream, std::span<const ArenaPiece> pieces, float scale) {
    static_cast<void>(stream), static_cast<void>(pieces), static_cast<void>(scale);
    SPILLWAY_CHECK(false, "a device without all-reduces of its own");
  }

  /// Calls `run`, which enqueues work and waits for it, and tells which kernels the device itself saw meanwhile; work
  /// may take longer while it is watched. Empty where the device can't tell; `run` may not have been called then.
  [[nodiscard]] virtual std::optional<ObservedKernels> observe(const std::function<void()>& run) {
    static_cast<void>(run);
    return std::nullopt;
  }
  /// The clocks of this moment, and what holds them down. Takes up to some milliseconds; the work on the streams goes
  /// on. Empty where the device can't tell.
  [[nodiscard]] virtual std::optional<ClockReading> read_clocks() { return std::nullopt; }

  /// As it is now. Empty where the arena lies in the host's memory.
  [[nodiscard]] virtual std::optional<DeviceMemory> memory() const { return std::nullopt; }

  /// What else people may want to know of it, for `execute` and `profile`: names and values.
  [[nodiscard]] virtual std::vector<std::pair<std::string, std::string>> facts() const { return {}; }

  /// The arena's first byte, for all-reduces over host memory, wrappers and tests; null where the host can't address
  /// it: then streams of every role take copies. Same rule as host_pool().
  [[nodiscard]] virtual std::byte* arena_on_host() { return nullptr; }

  /// Tells that the command enqueued last was one of the `users` last users of a residency's bytes. Devices ignore it;
  /// wrappers that check lifetimes don't. `residency` counts from 0, is used once a step, and may repeat from step to
  /// step.
  virtual void note_last_use(StreamId stream, ResidencyId residency, Bytes offset, Bytes size, int users) {
    static_cast<void>(stream), static_cast<void>(residency), static_cast<void>(offset), static_cast<void>(size),
        static_cast<void>(users);
  }
};

}  // namespace spillway
