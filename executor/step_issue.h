#pragma once

#include <vector>

#include "executor/runner.h"

namespace spillway {

/// How a step's commands get to the device: one by one, or as one graph that was captured once. The bits are the same.
enum class Issue { fastest, enqueued, graph };

/// Runs steps. `fastest` runs the first four enqueued and, where the device has graphs, the next four as a graph,
/// leaves the first of each out, and goes on with what had the shorter median.
class StepIssue {
 public:
  /// Throws Error (exit 3) when a graph is asked for and the device has none.
  StepIssue(Runner& runner, Issue issue);

  /// Throws like Runner::run_step.
  Seconds run();

  /// What steps run as now.
  [[nodiscard]] Issue current() const { return current_; }

 private:
  void choose();

  Runner& runner_;
  Issue wanted_, current_;
  std::vector<Seconds> enqueued_, graph_;  ///< while choosing
};

}  // namespace spillway
