#include "verify/reductions.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace spillway {

void check_reductions(const Trace& step, const Schedule& schedule, Findings& report) {
  if (schedule.plan.platform.ranks() == 1) return;
  const Graph& graph = step.graph;
  IdVector<BufferId, int> reductions(graph.buffers.size(), 0);  // since the last write
  for (const OpId id : graph.ops.ids()) {
    const Op& op = graph.ops[id];
    const bool reduces = std::holds_alternative<AllReduce>(op.attributes);
    for (const BufferId buffer : touched(graph, id)) {
      if (graph.buffers[buffer].role != Role::gradient) continue;
      if (reduces) {
        ++reductions[buffer];
      } else if (op.phase == Phase::update && reductions[buffer] != 1) {
        report.add(Rule::gradients_are_reduced_once,
                   fmt::format("{} reads {}, which has been all-reduced {} times since it was written, expected once",
                               report.name(id), report.name(buffer), reductions[buffer]));
      }
      if (!reduces && writes(graph, id, buffer)) reductions[buffer] = 0;
    }
  }
}

}  // namespace spillway
