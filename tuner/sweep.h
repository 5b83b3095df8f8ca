#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/platform.h"
#include "core/sweep_point.h"
#include "core/trace.h"
#include "tuner/tune.h"

namespace spillway {

/// A machine of a sweep, or why there is none.
struct SweepMachine {
  std::string platform;                               ///< as the user wrote it
  std::optional<std::int64_t> gpus = {}, nodes = {};  ///< as asked for
  std::optional<Platform> machine = {};               ///< with all that was changed; absent: it can't be
  std::string reason = {};                            ///< why it can't be
};

/// What to plan for: every combination.
struct SweepRequest {
  const Trace* trace = nullptr;  ///< as profiled; must outlive the sweep
  std::vector<SweepMachine> machines;
  std::vector<std::string> capacities;  ///< `60%` of the footprint at the point's batch, a size; empty: the default
  std::vector<std::int64_t> batches;
  std::vector<std::string> policies;
  std::int64_t evaluations = kDefaultEvaluations;
};

/// All points in their order: machines, then capacities, batches, policies; the last changes fastest. Those are
/// answered that need no plan to be answered: there is no such machine, the batch wasn't profiled, the capacity leaves
/// nothing.
/// Throws Error (exit 2) for what is wrong whatever the point: a capacity that can't be read, a policy that there
/// isn't.
[[nodiscard]] std::vector<SweepPoint> sweep_points(const SweepRequest& request);

/// The answers that were found before, by question.
void fill_in(std::vector<SweepPoint>& points, std::span<const SweepPoint> found);

/// Which of the points have no answer yet, ascending.
[[nodiscard]] std::vector<std::size_t> unanswered(std::span<const SweepPoint> points);

/// How a sweep runs.
struct SweepRun {
  std::size_t jobs = 1;                             ///< points at a time, each on a thread of its own
  const std::atomic<bool>* stop = nullptr;          ///< once true, no further point begins
  std::function<void(const SweepPoint&)> finished;  ///< one call at a time, from any of the threads; may be empty
};

/// Plans for the points that `which` lists and gives them their answers. These don't depend on `run`: a point is
/// `transferred` to its machine, `tune`d and verified on one thread, and shares nothing with another. Returns when all
/// are finished, or stopped. Where `tune` refuses a request (Error, exit 2), that is the point's reason.
///
/// Requires: `points` are sweep_points(request), those in `which` without answer. Throws what `finished` or a point
/// throws beside that, when all threads have ended.
void run_sweep_points(const SweepRequest& request, std::vector<SweepPoint>& points, std::span<const std::size_t> which,
                      const SweepRun& run);

}  // namespace spillway
