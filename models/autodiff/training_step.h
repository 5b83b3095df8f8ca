#pragma once

#include "core/graph.h"
#include "models/optimizer.h"

namespace spillway {

/// The training step of a forward graph: its ops, then for each of them in reverse order its gradient, and each
/// parameter's update as soon as its gradient is final and nobody reads the old value any more.
///
/// Buffers and tensors of `forward` keep their ids. If the network or the optimizer reads the step's number, op 0
/// advances it. Gradients of what depends on no parameter are never computed. An activation's gradient is `X.grad` for
/// tensor `X`; one that has a single owner is changed in place, one that two consumers share never is. Parameters above
/// kLargestUpdate are updated in slices.
///
/// Requires: `forward` has one Role::loss buffer, written by a loss op; every op that the loss depends on through
/// parameters has a gradient rule; no gradient needs a value that an in-place op has overwritten. Anything else is a
/// failed SPILLWAY_CHECK. Cost: linear in the graph's operands.
[[nodiscard]] Graph training_step(const Graph& forward, const Optimizer& optimizer);

/// One update op takes at most this much of a parameter, so that one huge layer doesn't set the smallest capacity.
inline constexpr Bytes kLargestUpdate = 16_MiB;

}  // namespace spillway
