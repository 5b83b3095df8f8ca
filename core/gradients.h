#pragma once

#include <vector>

#include "core/graph.h"

namespace spillway {

/// The parameters' gradients: what updates read and ops of other phases write. In the order in which the backward pass
/// completes them.
[[nodiscard]] std::vector<BufferId> parameter_gradients(const Graph& graph);

/// For each buffer the last op before the updates that writes it; invalid where none does.
[[nodiscard]] IdVector<BufferId, OpId> last_writes_before_updates(const Graph& graph);

/// A tensor that covers the gradient's buffer whole, as what adds gradients up needs it.
/// Throws Error (exit 2) naming the gradient when there is none.
[[nodiscard]] TensorId whole_tensor(const Graph& graph, BufferId gradient);

}  // namespace spillway
