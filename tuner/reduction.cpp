#include "tuner/reduction.h"

#include <algorithm>
#include <limits>

#include "core/planned_step.h"

namespace spillway {
namespace {

std::vector<std::vector<BufferId>> buckets_of(const Graph& graph, const std::vector<BufferId>& gradients, Bytes least) {
  std::vector<std::vector<BufferId>> buckets;
  Bytes filled = least;
  for (const BufferId gradient : gradients) {
    if (filled >= least) {
      buckets.emplace_back();
      filled = {};
    }
    buckets.back().push_back(gradient);
    filled += bytes(graph.buffers[gradient], 1);
  }
  return buckets;
}

}  // namespace

std::vector<GradientReduction> reductions(const Graph& graph) {
  const std::vector<BufferId> gradients = parameter_gradients(graph);
  std::vector<GradientReduction> ways;
  if (gradients.empty()) return ways;
  for (const Bytes least : {1_MiB, 4_MiB, 16_MiB, 64_MiB, 256_MiB, Bytes{std::numeric_limits<std::int64_t>::max()}}) {
    GradientReduction way{.buckets = buckets_of(graph, gradients, least), .updates_behind = 1};
    const auto count = static_cast<std::int64_t>(way.buckets.size());
    for (const std::int64_t behind : {std::int64_t{1}, std::int64_t{4}, count}) {
      way.updates_behind = std::min(behind, count);
      if (std::ranges::find(ways, way) == ways.end()) ways.push_back(way);
    }
  }
  return ways;
}

}  // namespace spillway
