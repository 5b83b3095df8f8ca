#pragma once

#include <cuda_runtime_api.h>

#include <span>
#include <string>

#include "core/rank_meeting.h"

namespace spillway {

/// All-reduces between the GPUs of all ranks, by a library: one for each device, used by the device's thread, whose GPU
/// is the current one.
class GpuAllReduce {
 public:
  virtual ~GpuAllReduce() = default;

  /// As Device::join_ranks. Runs a first all-reduce on `stream` and waits for it, so that connections and memory are
  /// there when it returns. Requires: no graph is left in which an earlier joining's all-reduces were captured.
  [[nodiscard]] virtual bool join(const RankMeeting& meeting, cudaStream_t stream) = 0;
  /// Enqueues or captures one, as Device::enqueue_all_reduce, of pieces of the GPU's memory.
  virtual void enqueue(cudaStream_t stream, std::span<const std::span<float>> pieces, float scale) = 0;
  /// Throws Error (exit 3) if what was enqueued has failed: on the GPU it then waits for ever. To be called now and
  /// then while waiting.
  virtual void check() = 0;
  /// Before a device waits for its streams for the last time: ends all-reduces that would never end, that is after a
  /// failure or while an exception passes. Otherwise does nothing.
  virtual void end_after_failure() noexcept = 0;

  /// As Device::all_reduce. Requires: joined.
  [[nodiscard]] virtual std::string identity() const = 0;
  /// What adds up, or why all-reduces go through host memory; in a few words.
  [[nodiscard]] virtual std::string text() const = 0;
};

/// Blocks until the event has completed, or throws what goes wrong with all-reduces before it, which may never end
/// then. `what` is waited for.
void wait_checking(cudaEvent_t event, const char* what, GpuAllReduce& all_reduce);

}  // namespace spillway
