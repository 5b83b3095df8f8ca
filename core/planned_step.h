#pragma once

#include <cstdint>
#include <optional>

#include "core/plan.h"
#include "core/trace.h"

namespace spillway {

/// One rank's step as the plan has it: the traced one, unrolled into its micro-batches (core/micro_batches.h), with an
/// all-reduce for each bucket behind the last write of its gradients, and the updates that read them moved behind
/// `updates_behind` later all-reduces. Buffers, tensors and their ids stay; all-reduces are ops of their own,
/// `all_reduce.<bucket>`, with costs of zero. With one micro-batch and without a reduction it is the traced step. Every
/// part of a plan that names ops or buffers names those of this step.
///
/// Throws Error (exit 2) when the buckets don't hold each parameter's gradient exactly once, or the trace doesn't say
/// what accumulating costs.
[[nodiscard]] Trace planned_step(const Trace& trace, std::int64_t micro_batches,
                                 const std::optional<GradientReduction>& reduction);

}  // namespace spillway
