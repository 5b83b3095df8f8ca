#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "comm/communicator.h"
#include "core/make_timeline.h"
#include "core/schedule.h"
#include "core/trace.h"
#include "device/device.h"

namespace spillway {

/// Whether a step's instructions are timed one by one.
enum class Timing { off, on };

/// When the instructions of a step ran, from its start, and when all streams had joined.
struct MeasuredStep {
  IdVector<InstructionId, Span> spans;
  Seconds step;
};

/// Runs one Schedule on one device, step after step. It decides nothing: every copy, wait and address stands in the
/// Schedule.
///
/// Requires: the schedule is verified for the trace, its planned step; trace and device outlive the runner, and nobody
/// else uses the device meanwhile. One thread at a time.
class Runner {
 public:
  /// Allocates arena and host pool, makes streams and events, prepares every kernel by its id. With `timing` on steps
  /// can be timed.
  /// Throws Error (exit 3) when the device can't: too little memory, no such kernel (another library, instruction set
  /// or thread count).
  /// `communicator` joins the ranks' devices, a collective call, and where these have no all-reduces of their own adds
  /// up the gradients, on a thread of the network stream; null where the schedule has no all-reduce. It outlives the
  /// runner, and nobody else uses it meanwhile.
  Runner(Device& device, const Trace& trace, const Schedule& schedule, Timing timing,
         Communicator* communicator = nullptr);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// Between steps: sets the value of a lasting buffer, in the arena and in the host pool, wherever a step expects it.
  /// Requires: `value` has the buffer's bytes.
  void set(BufferId buffer, std::span<const std::byte> value);
  /// Between steps: the value of a lasting buffer.
  void get(BufferId buffer, std::span<std::byte> value);
  /// Between steps: the host slot of an input, to write the next batch to, or of a loss, to read. As large as the
  /// buffer.
  [[nodiscard]] std::span<std::byte> slot(BufferId buffer);

  /// Runs one step: enqueues all instructions, then waits for all streams. Returns the time from the first to the last.
  /// Throws Error (exit 3) when the device fails. Requires of `timing` on: the runner was made with it.
  Seconds run_step(Timing timing = Timing::off);

  /// Captures the step as a graph, to be run by `run_graph`; false where the device has none. A graph's events have no
  /// times.
  [[nodiscard]] bool capture();
  /// Runs one step as the captured graph; the same bits as run_step.
  Seconds run_graph();

  /// When each instruction of the last step ran. Requires: it was timed.
  [[nodiscard]] MeasuredStep measured() const;

  /// Bytes of the host pool, staging for `set` and `get` and for all-reduces included.
  [[nodiscard]] Bytes host_pool_bytes() const;

 private:
  struct Prepared;
  void enqueue_instructions(std::uint64_t step, Timing timing);
  [[nodiscard]] std::vector<ArenaPiece> gradients_of(const Instruction& instruction) const;
  Device& device_;
  const Trace& trace_;
  const Schedule& schedule_;
  Timing timing_;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace spillway
