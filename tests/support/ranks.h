#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/schedule.h"
#include "core/trace.h"
#include "executor/train.h"
#include "tests/support/training.h"

// Plans for several ranks or micro-batches, and trainings by them on ranks that are threads.

namespace spillway {

/// A plan and the step that it is for.
struct Planned {
  Trace step;
  Schedule schedule;
};

struct PlanFor {
  const Trace* trace = nullptr;
  std::int64_t ranks = 1;
  std::int64_t micro_batches = 1;
  std::string policy = "in-memory";
  double share = 1.2;  ///< capacity, of the planned step's footprint without all-reduces
  std::optional<GradientReduction> reduction = {};
  std::optional<Bytes> host_capacity = {};
};

/// Throws std::bad_variant_access when nothing fits.
[[nodiscard]] Planned plan_for(const PlanFor& wanted);

using ChangeRequest = std::function<void(int rank, TrainRequest&)>;

/// Each rank's losses, on synthetic data unless `change` says otherwise.
[[nodiscard]] std::vector<std::vector<float>> losses_on_ranks(int ranks, const Planned& planned, std::int64_t steps,
                                                              const ChangeRequest& change = {});

/// One batch of all the samples that `parts` batches of the model have, trained at once; and whether `found` is that
/// but for rounding. Norms must be per sample, so that the mean of the parts' gradients is the gradient of all samples.
void expect_trained_as_one_batch(const std::vector<float>& found, const TinyModel& model, std::int64_t parts);

}  // namespace spillway
