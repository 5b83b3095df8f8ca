#include "executor/step_issue.h"

#include "core/error.h"
#include "core/statistics.h"

namespace spillway {
namespace {

constexpr std::size_t kTried = 4;

Seconds median_without_first(const std::vector<Seconds>& times) {
  return median(std::vector(times.begin() + 1, times.end()));
}

}  // namespace

StepIssue::StepIssue(Runner& runner, Issue issue) : runner_(runner), wanted_(issue), current_(Issue::enqueued) {
  if (wanted_ != Issue::graph) return;
  if (!runner_.capture()) throw machine_error("this device has no graphs: steps are enqueued");
  current_ = Issue::graph;
}

Seconds StepIssue::run() {
  const Seconds seconds = current_ == Issue::graph ? runner_.run_graph() : runner_.run_step();
  if (wanted_ == Issue::fastest) {
    (current_ == Issue::graph ? graph_ : enqueued_).push_back(seconds);
    choose();
  }
  return seconds;
}

void StepIssue::choose() {
  if (current_ == Issue::enqueued && enqueued_.size() == kTried) {
    if (runner_.capture()) {
      current_ = Issue::graph;
    } else {
      wanted_ = Issue::enqueued;
    }
  } else if (graph_.size() == kTried) {
    wanted_ = current_ =
        median_without_first(graph_) < median_without_first(enqueued_) ? Issue::graph : Issue::enqueued;
  }
}

}  // namespace spillway
