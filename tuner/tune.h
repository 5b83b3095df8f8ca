#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "compile/lower.h"
#include "core/plan.h"
#include "core/schedule.h"
#include "core/trace.h"
#include "sim/simulate.h"
#include "tuner/reduction.h"

namespace spillway {

/// How far a search is.
struct TuneProgress {
  std::int64_t evaluations = 0;  ///< candidates lowered and simulated so far
  std::int64_t limit = 0;        ///< at most so many
  std::optional<Seconds> best;   ///< the shortest step that fits, so far
};

/// Enough for the searching policies to settle; some seconds for a graph of 500 ops, nearly all of it placing.
inline constexpr std::int64_t kDefaultEvaluations = 400;

/// What to plan for.
struct TuneRequest {
  const Trace* trace = nullptr;  ///< as profiled; must outlive the call
  Platform platform;
  /// How several ranks add up gradients; absent: chosen by simulated time.
  std::optional<GradientReduction> reduction = {};
  /// To choose among, as reduction_ways() gives them; must outlive the call. Empty: worked out.
  std::span<const ReductionWay> reduction_ways = {};
  std::int64_t batch = 1;
  std::int64_t micro_batches = 1;
  Bytes capacity;                      ///< what the arena may use
  std::optional<Bytes> host_capacity;  ///< what the host pool may use; absent: no limit
  Constraints constraints;
  std::string policy = "threshold";
  /// A search stops after so many candidates. It counts candidates and not seconds, so that the same request gives the
  /// same plan on every machine.
  std::int64_t evaluations = kDefaultEvaluations;
  std::function<void(const TuneProgress&)> progress;  ///< may be empty; called on the caller's thread
};

/// A plan that fits, lowered with full effort and verified.
struct Tuned {
  /// Complete but for trace_path and trace_sha256, which only the caller knows. Of planned_step(trace,
  /// plan.micro_batches, plan.reduction).
  Plan plan;
  Schedule schedule;
  StepTimes times;
};

/// An honest no.
struct NothingFits {
  Shortfall shortfall;  ///< of the policy's leanest plan
  /// A capacity at which this policy finds a plan, while it finds none 0.1 % below. Absent: none will do (the host pool
  /// is too small).
  std::optional<Bytes> smallest_capacity;
};

/// Chooses a plan by the policy named in the request. Same request, same answer.
///
/// Throws Error (exit 2) when there is no such policy, when the batch wasn't profiled, or when a constraint can't be
/// obeyed: a pattern that matches no buffer, a buffer that is to be both kept and swapped, a recomputation.
[[nodiscard]] std::variant<Tuned, NothingFits> tune(const TuneRequest& request);

/// What 100 % of a capacity is: arena bytes of the request's step when everything is kept. With several ranks and no
/// reduction given, with the one that is then the fastest. The request's capacity, policy and constraints don't matter.
[[nodiscard]] Bytes footprint_of(const TuneRequest& request);

/// A policy, for lists and help.
struct PolicyDescription {
  std::string name;
  std::string help;    ///< one line
  std::string source;  ///< where the algorithm comes from
};

/// The policies that `tune` knows, baselines first.
[[nodiscard]] const std::vector<PolicyDescription>& policies();

}  // namespace spillway
