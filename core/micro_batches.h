#pragma once

#include <cstddef>
#include <cstdint>

#include "core/graph.h"
#include "core/trace.h"

namespace spillway {

// Several passes over the network before one update ("gradient accumulation"): the first pass writes the gradients,
// each later one writes parts that are added to them, and the last addition makes the sum the mean.

/// The traced step with what a later pass needs behind it: for each parameter's gradient `X` a buffer `X.part` with
/// tensors like its own, and for each op `O` that completes gradients an op `O.accumulate` that adds their parts. The
/// accumulations stand behind all ops, in the order of those: it is a list to be timed, not a step.
///
/// Throws Error (exit 2) naming a gradient that no tensor covers whole.
[[nodiscard]] Graph with_accumulations(const Graph& graph);

/// Says which kernel the next op of with_accumulations() has, a graph of `traced` ops before.
void add_kernel(BatchCosts& costs, std::size_t traced, std::uint32_t kernel);

/// The traced step with `micro_batches` passes. What belongs to one pass is called `name@2` in the second and so on:
/// its ops, and copies of the buffers that a pass has for itself: inputs, losses, the number of its first sample
/// (Buffer::copy_of). All other buffers are shared, and the traced ids stay. Updates run in the last pass; the step's
/// number advances in the first. One micro-batch is the traced step.
///
/// Throws Error (exit 2) when the trace doesn't say what accumulating costs.
[[nodiscard]] Trace unrolled(const Trace& trace, std::int64_t micro_batches);

/// More are refused: a step is unrolled op by op, and what plans it grows with the square of its ops.
inline constexpr std::int64_t kMostMicroBatches = 64;

/// The state that holds the number, within the global batch, of the first sample of a pass.
inline constexpr const char* kFirstSample = "first_sample";

}  // namespace spillway
