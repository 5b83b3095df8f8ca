#pragma once

#include <optional>

#include "tuner/tune.h"

namespace spillway {

/// What several ranks gain, and what it costs to plan for one.
struct Scaling {
  Seconds one_rank;       ///< step of the plan tuned for one rank of the same machine, at the same batch
  double efficiency = 0;  ///< one_rank over the step of all ranks: 1 is linear
  /// Step of all ranks with the decisions of the one-rank plan. Absent: with the all-reduces in between it doesn't fit.
  std::optional<Seconds> with_one_rank_plan;
};

/// Tunes for one rank too and compares. `request` has several ranks, `tuned` is its answer. Absent: nothing fits on
/// one.
[[nodiscard]] std::optional<Scaling> scaling(const TuneRequest& request, const Tuned& tuned);

}  // namespace spillway
