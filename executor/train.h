#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.h"
#include "core/schedule.h"
#include "core/timeline.h"
#include "core/trace.h"
#include "device/device.h"
#include "executor/learning_rate.h"
#include "executor/step_issue.h"

namespace spillway {

/// One step that has just ended.
struct StepReport {
  std::int64_t step = 0;   ///< from 1
  std::int64_t steps = 0;  ///< how many this run will reach
  float loss = 0;
  Seconds seconds;  ///< loading the batch and reading the loss included
};

struct TrainRequest {
  const Trace* trace = nullptr;  ///< the planned step
  const Schedule* schedule = nullptr;
  /// The ranks that train together, each calling `train` with its own device; null: one. With m micro-batches rank
  /// r trains on the batches (step * ranks + r) * m to ... + m - 1; rank 0's initial values, running statistics, files
  /// and reports count.
  Communicator* communicator = nullptr;
  std::int64_t steps = 1;                 ///< in all; a resumed training does what is missing
  std::uint64_t seed = 1;                 ///< of initial weights, synthetic data, shuffling and dropout
  std::optional<std::string> data;        ///< directory of .npy files; none: synthetic batches
  std::optional<std::string> weights;     ///< to start from
  std::optional<std::string> save;        ///< the trained weights go there
  std::optional<std::string> checkpoint;  ///< directory
  std::int64_t checkpoint_every = 100;
  bool resume = false;                        ///< go on from the newest checkpoint, if there is one
  std::optional<LearningRate> learning_rate;  ///< none: as the model has it
  Issue issue = Issue::fastest;
  /// After the training, when all is saved, run its last step twice more and time each instruction of the second, on
  /// all ranks. What these steps compute counts nowhere.
  bool timeline = false;
  std::function<void(const StepReport&)> progress;
  const std::atomic<bool>* stop = nullptr;  ///< once true, training ends after the step that is running
};

struct TrainResult {
  std::vector<float> losses;          ///< of the steps of this run
  std::vector<Seconds> step_seconds;  ///< of the same steps, none of them traced
  std::int64_t first_step = 0;        ///< completed before this run
  std::int64_t completed = 0;         ///< in all
  bool stopped = false;
  std::optional<Timeline> timeline;
  std::optional<Seconds> traced_step;  ///< what the step of `timeline` took, as `step_seconds` counts
  Issue issue = Issue::enqueued;       ///< what the last step of the training ran as
  Bytes host_pool;                     ///< as allocated
};

/// Trains by a schedule. A step's loss is the mean over its micro-batches and ranks. Losses and weights don't depend on
/// the plan's decisions, only on model, batch, micro-batches, ranks, seed, data and kernels. A resumed training
/// continues as if it had never been interrupted, to the last bit. Files are checked before anything is allocated, and
/// are written whole or not at all. Throws Error: exit 1 with the first violation when the schedule isn't safe, exit 2
/// for files that don't fit, exit 3 when the device isn't the one that the trace speaks of, or fails. Ranks whose
/// schedules, traces, seeds, data or kernels differ all throw (exit 2), naming the first rank that differs from rank 0.
[[nodiscard]] TrainResult train(Device& device, const TrainRequest& request);

}  // namespace spillway
