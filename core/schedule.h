#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/plan.h"

namespace spillway {

enum class StreamRole { compute, swap_out, swap_in, network, host };

/// Instructions that run in order, on one GPU.
struct Stream {
  StreamRole role = StreamRole::compute;
  std::uint32_t gpu = 0;
  friend bool operator==(const Stream&, const Stream&) = default;
};

/// One stay of a buffer in the arena. It occupies the positions first..last, both included; if it wraps, first..end and
/// 0..last.
struct Residency {
  BufferId buffer;  ///< invalid: a workspace or an unwanted output of a recomputation
  Bytes offset, bytes;
  Position first, last;
  bool wraps = false;  ///< spans the step's end: there at the step's start, and there again at its end, at one offset
  friend bool operator==(const Residency&, const Residency&) = default;
};

enum class InstructionKind { compute, swap_out, swap_in, all_reduce, host_update };

/// Whether it runs an op of the step on arena bytes; the others copy one buffer.
[[nodiscard]] constexpr bool runs_op(InstructionKind kind) {
  return kind == InstructionKind::compute || kind == InstructionKind::all_reduce;
}

/// One line of a Schedule.
struct Instruction {
  InstructionKind kind = InstructionKind::compute;
  StreamId stream;
  Position position;  ///< where it hangs in the order of the step's ops
  // compute and all-reduce:
  OpId op;
  std::uint32_t run = 0;
  std::vector<ResidencyId> inputs, outputs;  ///< one per operand of the op, in operand order
  ResidencyId workspace;                     ///< invalid: none
  // copies:
  BufferId buffer;
  ResidencyId residency;
  /// Must have completed in this step before this one starts. Always lower ids; beside them the stream's own order
  /// holds.
  std::vector<InstructionId> waits;
  friend bool operator==(const Instruction&, const Instruction&) = default;
};

/// The place of a buffer in the host pool.
struct HostSlot {
  BufferId buffer;
  Bytes offset, bytes;
  friend bool operator==(const HostSlot&, const HostSlot&) = default;
};

/// Where a lasting buffer is when a step starts (and so also when it ends).
struct StartState {
  BufferId buffer;
  ResidencyId residency;    ///< invalid: not in the arena
  bool host_valid = false;  ///< its host slot holds the current value
  friend bool operator==(const StartState&, const StartState&) = default;
};

/// The lowered plan: every kernel and copy, its stream, the bytes it reads and writes, and what it waits for.
/// Instructions stand in one total order (by position; at a position: swap-ins, compute, all-reduces, swap-outs, host
/// updates); an InstructionId is an index into it.
struct Schedule {
  Plan plan;
  IdVector<OpId, std::string> kernels;  ///< kernel id of each op
  IdVector<StreamId, Stream> streams;
  IdVector<ResidencyId, Residency> residencies;
  IdVector<InstructionId, Instruction> instructions;
  std::vector<HostSlot> host_slots;  ///< by buffer id
  std::vector<StartState> start;     ///< one per lasting buffer, by buffer id
  Bytes alignment{64};
  Bytes arena_bytes;  ///< highest offset used
  Bytes host_bytes;
  Bytes peak_live_bytes;  ///< no packing can beat it
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

/// The position after the last: how many runs of ops there are.
[[nodiscard]] std::size_t positions(const Schedule& schedule);
/// The host slot of `buffer`, or null.
[[nodiscard]] const HostSlot* host_slot(const Schedule& schedule, BufferId buffer);
/// For people and viewers: `conv3`, `conv3#2` for the second run, `swap-out conv3.out`.
[[nodiscard]] std::string name_of(const Graph& graph, const Instruction& instruction);

}  // namespace spillway
