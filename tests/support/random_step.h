#pragma once

#include "core/plan.h"
#include "core/trace.h"

// Random training steps and random legal plans for them, to find what nobody thought of. Same seed, same result.

namespace spillway {

/// A step of 3 to 9 layers with all that makes lives of buffers hard: layers in place, second outputs, skips, a
/// parameter used by two layers (so used four times and its gradient accumulated), weight gradients before or with data
/// gradients, clipping by all gradients, updates in slices, frozen parameters, workspaces. Sizes are multiples of 4
/// bytes, so that values can be simulated in words.
[[nodiscard]] Trace random_step(unsigned seed);

/// A legal plan: recomputed chains, and for about half of the gaps a swap of random release, begin and mode; gaps
/// around the step's end leave before it, after it, or stay away over it.
[[nodiscard]] Plan random_plan(const Trace& trace, unsigned seed);

/// Every parameter's gradient in one of a few random buckets.
[[nodiscard]] GradientReduction random_reduction(const Trace& trace, unsigned seed);

}  // namespace spillway
