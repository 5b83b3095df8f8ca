#pragma once

#include <string>
#include <variant>

#include "tests/support/chain_trace.h"
#include "tuner/tune.h"

namespace spillway {

/// A request on the trace's own machine at its first batch. Keeps the reference.
[[nodiscard]] inline TuneRequest request_for(const Trace& trace, const std::string& policy, Bytes capacity) {
  return {.trace = &trace,
          .platform = trace.machine,
          .batch = trace.batches.front().batch,
          .capacity = capacity,
          .host_capacity = {},
          .constraints = {},
          .policy = policy,
          .evaluations = kDefaultEvaluations,
          .progress = {}};
}

/// `share` of the footprint at the first batch, rounded down to the alignment.
[[nodiscard]] inline Bytes share_of_footprint(const Trace& trace, double share) {
  const Bytes all = footprint(trace, trace.batches.front().batch);
  return {static_cast<std::int64_t>(static_cast<double>(all.value) * share) / 64 * 64};
}

[[nodiscard]] inline bool fits(const std::variant<Tuned, NothingFits>& outcome) {
  return std::holds_alternative<Tuned>(outcome);
}

/// Four layers of 1 MiB outs, no weights: out 0 is read by forward 1 and by backward 1, and so on.
[[nodiscard]] inline ChainDescription four_layers() {
  ChainDescription chain;
  chain.layers.assign(4, {.out = 1_MiB});
  return chain;
}

}  // namespace spillway
