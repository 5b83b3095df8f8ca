#pragma once

#include "core/plan.h"
#include "core/trace.h"

namespace spillway {

/// The parameters' gradients: what updates read and ops of other phases write. In the order in which the backward pass
/// completes them.
[[nodiscard]] std::vector<BufferId> parameter_gradients(const Graph& graph);

/// One rank's step as the plan has it: the traced one with an all-reduce for each bucket behind the last write of its
/// gradients, and the updates that read them moved behind `updates_behind` later all-reduces. Buffers, tensors and
/// their ids stay; all-reduces are ops of their own, `all_reduce.<bucket>`, with costs of zero. Without a reduction it
/// is the traced step. Every part of a plan that names ops names those of this step.
///
/// Throws Error (exit 2) when the buckets don't hold each parameter's gradient exactly once.
[[nodiscard]] Trace planned_step(const Trace& trace, const std::optional<GradientReduction>& reduction);

}  // namespace spillway
