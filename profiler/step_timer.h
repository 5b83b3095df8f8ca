#pragma once

#include <optional>
#include <vector>

#include "core/graph.h"
#include "profiler/variants.h"
#include "profiler/workbench.h"

namespace spillway {

/// What a step's ops took one after the other, as in training but for copies and collectives: medians.
struct StepTiming {
  std::vector<Seconds> ops;  ///< each op's own time within the step
  Seconds step;              ///< in one go, no op timed
};

/// Runs the ops of a step in order, in the bench's arena as it is (see step_places.h), on random numbers. Where the
/// device can capture a step, that is how it runs in one go.
///
/// `kernels`: one per op, prepared, each has run before. `runs`: steps of each kind that count. Empty where the arena
/// has no room for the integers beside its largest op.
[[nodiscard]] std::optional<StepTiming> time_step(Workbench& bench, const Graph& graph, std::int64_t batch,
                                                  const std::vector<const Candidate*>& kernels, std::int64_t runs);

}  // namespace spillway
