#include "sim/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "core/micro_batches.h"

namespace spillway {
namespace {

constexpr Seconds kAssumedIssue{5e-6};  // kernel launches on CUDA take 5 to 10 us

/// Gives every kernel `time(op, batch, measured)`; ops that share a kernel share shape, so the first one speaks for
/// all.
void set_times(Trace& trace, const Graph& timed, const std::function<Seconds(OpId, std::int64_t, Seconds)>& time,
               bool keep_interference) {
  for (BatchCosts& costs : trace.batches) {
    std::vector<char> done(costs.kernels.size(), 0);
    for (const OpId op : timed.ops.ids()) {
      const std::size_t accumulation = op.index() - costs.kernel_of.size();
      const bool accumulates = op.index() >= costs.kernel_of.size();
      if (accumulates && accumulation >= costs.accumulate_of.size()) break;
      const std::uint32_t kernel = accumulates ? costs.accumulate_of[accumulation] : costs.kernel_of[op];
      if (done[kernel] != 0) continue;
      done[kernel] = 1;
      KernelCost& cost = costs.kernels[kernel];
      const double slowdown = keep_interference ? cost.seconds_while_copying / cost.seconds : 1;
      cost.seconds = time(op, costs.batch, cost.seconds);
      cost.seconds_while_copying = slowdown * cost.seconds;
    }
  }
}

/// The graph with whatever has a cost.
Graph all_timed(const Trace& trace) {
  const bool accumulates =
      std::ranges::any_of(trace.batches, [](const BatchCosts& costs) { return !costs.accumulate_of.empty(); });
  return accumulates ? with_accumulations(trace.graph) : trace.graph;
}

double memory_rate(const Gpu& gpu) {
  return gpu.memory_measured ? gpu.memory_measured->value.value : gpu.memory.value.value;
}

}  // namespace

Seconds roofline(const Gpu& gpu, double flops, Bytes moved) {
  return {std::max(flops / gpu.fp32.flops_per_second, static_cast<double>(moved.value) / memory_rate(gpu))};
}

Transferred transferred(const Trace& trace, const Platform& platform) {
  const std::string measured = fmt::format("ops measured on {}", trace.machine.name);
  if (!platform.gpu || (trace.machine.gpu && trace.machine.gpu->name == platform.gpu->name)) return {trace, measured};
  Transferred result{.trace = trace, .how = ""};
  const Graph graph = all_timed(trace);
  const auto on = [&](const Gpu& gpu, OpId op, std::int64_t batch) {
    return roofline(gpu, flops(graph.ops[op], batch), bytes_moved(graph, op, batch));
  };
  if (trace.machine.gpu) {
    set_times(
        result.trace, graph,
        [&](OpId op, std::int64_t batch, Seconds seconds) {
          return seconds * (on(*platform.gpu, op, batch) / on(*trace.machine.gpu, op, batch));
        },
        true);
    result.how = fmt::format("{}, scaled to {} by roofline", measured, platform.gpu->name);
    return result;
  }
  const double efficiency = platform.gpu->assumed_efficiency;
  set_times(
      result.trace, graph,
      [&](OpId op, std::int64_t batch, Seconds) { return (1 / efficiency) * on(*platform.gpu, op, batch); }, false);
  result.trace.issue = kAssumedIssue;
  result.how = fmt::format("ops assumed at {:.0f} % of {}'s roofline: none was measured on a GPU", 100 * efficiency,
                           platform.gpu->name);
  return result;
}

}  // namespace spillway
