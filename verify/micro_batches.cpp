#include "verify/micro_batches.h"

#include <fmt/format.h>

#include <cmath>
#include <variant>

namespace spillway {
namespace {

/// What a gradient buffer holds: a sum over so many passes, times `scale`.
struct Sum {
  std::int64_t passes = 0;
  double scale = 1;
};

constexpr double kRounding = 1e-12;
/// Of a part that has been added: no sum with it comes out right any more.
constexpr std::int64_t kUsedUp = -1'000'000;

}  // namespace

void check_micro_batches(const Trace& step, const Schedule& schedule, Findings& report) {
  const Graph& graph = step.graph;
  const std::int64_t expected = schedule.plan.micro_batches;
  IdVector<BufferId, Sum> sums(graph.buffers.size());
  const auto is_gradient = [&](BufferId buffer) { return graph.buffers[buffer].role == Role::gradient; };
  for (const OpId id : graph.ops.ids()) {
    const Op& op = graph.ops[id];
    if (const auto* accumulate = std::get_if<Accumulate>(&op.attributes)) {
      for (std::size_t i = 0; i + 1 < op.inputs.size(); i += 2) {
        Sum& sum = sums[graph.tensors[op.inputs[i]].buffer];
        Sum& part = sums[graph.tensors[op.inputs[i + 1]].buffer];
        // Parts of another scale can't be told apart any more: such a sum is no mean.
        sum = {.passes = sum.scale == part.scale ? sum.passes + part.passes : 0,
               .scale = sum.scale * accumulate->scale};
        part.passes = kUsedUp;
      }
    } else if (op.phase == Phase::update || std::holds_alternative<AllReduce>(op.attributes)) {
      for (const TensorId input : op.inputs) {
        const BufferId buffer = graph.tensors[input].buffer;
        if (!is_gradient(buffer)) continue;
        const Sum& sum = sums[buffer];
        const double mean = sum.scale * static_cast<double>(expected);
        if (sum.passes == expected && std::abs(mean - 1) < kRounding) continue;
        report.add(Rule::gradients_hold_every_micro_batch,
                   fmt::format("{} reads {}, which holds {} times the sum over {} passes, expected the mean over {}",
                               report.name(id), report.name(buffer), sum.scale, sum.passes, expected));
      }
    } else {
      for (const TensorId output : op.outputs) sums[graph.tensors[output].buffer] = {.passes = 1, .scale = 1};
    }
  }
}

}  // namespace spillway
