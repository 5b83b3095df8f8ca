#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/compute_stream.h"
#include "core/platform.h"

namespace spillway {

/// How a swap is tied to the compute stream. Spelled in files as here.
enum class SwapMode {
  prefetch,            ///< out and in run as soon as it is safe
  triggered,           ///< the swap-in also waits for compute `begin` - 1
  blocking,            ///< compute `release` + 1 also waits for the swap-out
  triggered_blocking,  ///< both
};

[[nodiscard]] constexpr bool is_triggered(SwapMode mode) {
  return mode == SwapMode::triggered || mode == SwapMode::triggered_blocking;
}
[[nodiscard]] constexpr bool is_blocking(SwapMode mode) {
  return mode == SwapMode::blocking || mode == SwapMode::triggered_blocking;
}

/// The decision to leave the arena during one gap: gone after `release`, back from `begin`. Positions are those of the
/// stream with the recomputations in it. In a wrap gap both count modulo the step: after <= release, then, perhaps
/// beyond the step's end, begin <= before.
struct Swap {
  Gap gap;
  Position release;  ///< invalid in an input's first gap
  Position begin;    ///< invalid in a loss's last gap
  SwapMode mode = SwapMode::prefetch;
  std::string remark;  ///< for people: why it may not pay
  friend bool operator==(const Swap&, const Swap&) = default;
};

/// How the gradients of several ranks are added up: one all-reduce per bucket, as soon as its last gradient is written.
struct GradientReduction {
  std::vector<std::vector<BufferId>> buckets;  ///< gradients of parameters, each in exactly one
  /// A bucket's updates stand behind this many later all-reduces (at most at the step's end), so that the backward pass
  /// goes on while it is under way.
  std::int64_t updates_behind = 1;
  friend bool operator==(const GradientReduction&, const GradientReduction&) = default;
};

/// What the user asked for; a search obeys it. Patterns are globs over buffer names.
struct Constraints {
  std::vector<std::string> keep, swap, recompute;
  friend bool operator==(const Constraints&, const Constraints&) = default;
};

/// What a plan is expected to cost; filled by the tuner.
struct Prediction {
  Seconds step, compute, stall;
  Bytes arena, host, footprint;
  friend bool operator==(const Prediction&, const Prediction&) = default;
};

/// The decisions, small and readable. Positions and gaps are those of the planned step (core/planned_step.h). A gap
/// with no swap and no recomputation is kept.
struct Plan {
  std::string trace_path;  ///< relative to the plan's file
  std::string trace_sha256;
  Platform platform;
  std::int64_t batch = 1;
  std::int64_t micro_batches = 1;  ///< passes whose gradients are added up before one update
  Bytes capacity;
  std::optional<Bytes> host_capacity;
  std::string policy;
  std::map<std::string, std::string> knobs;  ///< of the policy, as chosen
  Constraints constraints;
  std::optional<GradientReduction> reduction = {};  ///< exactly when the platform has several ranks
  std::vector<Recompute> recomputes;
  std::vector<Swap> swaps;  ///< at most one per gap
  std::optional<Prediction> prediction;
  friend bool operator==(const Plan&, const Plan&) = default;
};

/// `4`, or `4 x 2 micro-batches`.
[[nodiscard]] std::string batch_text(const Plan& plan);

/// The global batch: what all ranks see before one update.
[[nodiscard]] inline std::int64_t samples_per_step(const Plan& plan) {
  return plan.batch * plan.micro_batches * plan.platform.ranks();
}

}  // namespace spillway
