#include "profiler/kernel_observer.h"

#include <fmt/format.h>

#include <cmath>

#include "core/statistics.h"
#include "profiler/operand_copies.h"

namespace spillway {
namespace {

constexpr int kRuns = 3;
constexpr double kWorthTelling = 0.05;
constexpr Seconds kEventResolution{0.5e-6};  // CUDA Runtime API, cudaEventElapsedTime

}  // namespace

std::optional<ObservedOp> observe_op(Workbench& bench, const OpDescription& op, KernelId kernel,
                                     const OperandPlaces& places) {
  OperandCopies operands(bench, op, kernel, places, 1);
  operands.fill();
  ObservedOp result;
  std::vector<Seconds> sums;
  for (int i = 0; i < kRuns; ++i) {
    const std::optional<ObservedKernels> observed = bench.device().observe([&] {
      bench.device().enqueue_cache_flush(bench.compute());
      operands.enqueue_run();
      bench.finish(bench.compute());
    });
    if (!observed) return std::nullopt;
    result.by = observed->by;
    result.lost += observed->lost;
    if (observed->lost > 0 || observed->kernels.empty()) continue;
    result.kernels.clear();
    Seconds sum;
    for (const ObservedKernels::Kernel& each : observed->kernels) {
      result.kernels.push_back(each.name);
      sum += each.seconds;
    }
    sums.push_back(sum);
  }
  if (!sums.empty()) result.seconds = median(sums);
  return result;
}

std::optional<std::string> clock_disagreement(const Trace& trace) {
  std::size_t compared = 0, different = 0;
  double worst = 0;
  std::string named;
  for (const BatchCosts& costs : trace.batches) {
    std::vector<char> counted(costs.kernels.size(), 0);
    for (const OpId op : trace.graph.ops.ids()) {
      const std::uint32_t index = costs.kernel_of[op];
      const KernelCost& cost = costs.kernels[index];
      if (!cost.device_seconds || counted[index] != 0) continue;
      counted[index] = 1;
      ++compared;
      const Seconds difference = *cost.device_seconds - cost.seconds;
      const double part = difference / cost.seconds;
      if (std::abs(part) <= kWorthTelling || std::abs(difference.value) <= kEventResolution.value) continue;
      ++different;
      if (std::abs(part) <= std::abs(worst)) continue;
      worst = part;
      named = fmt::format("op '{}' at batch {}, {} by {} and {} by events", trace.graph.ops[op].name, costs.batch,
                          to_text(*cost.device_seconds), trace.provenance.tracer, to_text(cost.seconds));
    }
  }
  if (different == 0) return std::nullopt;
  return fmt::format(
      "kernels and events differ by more than {:.0f} % in {} of {} distinct ops; the worst, {:+.0f} %: {}",
      100 * kWorthTelling, different, compared, 100 * worst, named);
}

}  // namespace spillway
