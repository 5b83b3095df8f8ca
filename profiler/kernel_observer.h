#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/trace.h"
#include "profiler/distinct_ops.h"
#include "profiler/workbench.h"

namespace spillway {

/// What the device itself saw of one op.
struct ObservedOp {
  std::string by;                    ///< what looked: "CUPTI 13.0.1"
  std::vector<std::string> kernels;  ///< of one run, in order
  std::optional<Seconds> seconds;    ///< its kernels together, median of some cold runs; empty: none was seen whole
  std::size_t lost = 0;              ///< kernels of all runs that it couldn't tell about
};

/// Runs a prepared op a few times while the device watches. Empty where the device can't tell. Call it when all that
/// is timed has been timed: what has been watched once may be slower from then on.
/// Requires: the bench's arena has room for `places`; the op has run before.
[[nodiscard]] std::optional<ObservedOp> observe_op(Workbench& bench, const OpDescription& op, KernelId kernel,
                                                   const OperandPlaces& places);

/// By how many ops, and by how much at worst, the device's own clock disagrees with the events around the op: one line,
/// or empty where they agree to 5 %. What is less than the events' resolution isn't a difference.
[[nodiscard]] std::optional<std::string> clock_disagreement(const Trace& trace);

}  // namespace spillway
