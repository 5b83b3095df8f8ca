#pragma once

#include <vector>

#include "core/plan.h"
#include "core/trace.h"

namespace spillway {

/// Ways to put the parameters' gradients into buckets, as the backward pass completes them: buckets of at least 1, 4,
/// 16, 64, 256 MiB or all in one, with updates 1 or 4 all-reduces behind or at the step's end. Small buckets begin
/// early but pay more start-ups; late updates hold gradients longer. Each way once. Empty: there are no gradients.
[[nodiscard]] std::vector<GradientReduction> reductions(const Graph& graph);

}  // namespace spillway
