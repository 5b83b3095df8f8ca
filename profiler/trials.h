#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "core/trace.h"
#include "profiler/op_timer.h"
#include "profiler/variants.h"

namespace spillway {

/// What short trials found to be fastest.
struct Winner {
  Variant variant;
  std::vector<Candidate> kernels;    ///< by distinct op of the variant, prepared
  std::vector<LayoutTrial> layouts;  ///< empty where there was no choice
};

/// Prepares those kernels of the first variant that need no trial.
void prepare_undisputed(Device& device, std::vector<Variant>& variants);

/// Told each op before its kernels are tried, with its number from 0 and how many there are.
using BeforeTrial = std::function<void(const DistinctOp&, std::size_t number, std::size_t count)>;

/// Runs every kernel in question a few times, and takes for each op the one with the shortest median; among those as
/// fast but for noise, the one with the smallest workspace. Then takes the layout whose ops, so run, take the fewest
/// seconds per sample, all batches together.
[[nodiscard]] Winner try_out(Device& device, OpTimer& timer, std::vector<Variant> variants,
                             const BeforeTrial& before_trial);

}  // namespace spillway
