// How fast plans are lowered, verified and simulated. Items are instructions.
#include <benchmark/benchmark.h>

#include "compile/lower.h"
#include "models/models.h"
#include "sim/simulate.h"
#include "verify/verify.h"

namespace spillway {
namespace {

/// ResNet-152 with made-up costs: what matters here is how many instructions there are. Every gap is swapped.
struct Case {
  Trace trace;
  Plan plan;
  Schedule schedule;
};

const Case& resnet152() {
  static const Case all_swapped = [] {
    Case made;
    made.trace.graph = make_model("resnet", parse_settings({"depth=152", "side=64", "classes=10"}));
    BatchCosts costs{.batch = 1, .kernels = {}, .kernel_of = {}};
    for (const OpId op : made.trace.graph.ops.ids()) {
      costs.kernel_of.push_back(static_cast<std::uint32_t>(op.index()));
      costs.kernels.push_back({.kernel = "made up",
                               .workspace = {},
                               .seconds = {1e-4},
                               .spread = 0,
                               .seconds_while_copying = {1.1e-4},
                               .repeats = 1});
    }
    made.trace.batches.push_back(costs);
    made.trace.interference_rate = {1e9};
    const Rate rate{.value = {10e9}, .source = "made up"};
    made.trace.machine = {.name = "made up",
                          .device = "cpu",
                          .nodes = 1,
                          .gpus_per_node = 1,
                          .device_memory = {1LL << 40},
                          .host_memory = {1LL << 40},
                          .host_link = {.in = rate, .out = rate, .both = {}, .start = {1e-5}}};
    made.plan.platform = made.trace.machine;
    made.plan.capacity = {1LL << 40};
    const auto stream = compute_stream(made.trace.graph, {});
    for (const Gap& gap : gaps(made.trace.graph, uses(made.trace.graph, stream, 1), stream.size())) {
      if (!gap.wraps && gap.after.valid() && gap.before.valid()) {
        made.plan.swaps.push_back(
            {.gap = gap, .release = gap.after, .begin = gap.before, .mode = SwapMode::prefetch, .remark = ""});
      }
    }
    made.schedule = std::get<Schedule>(lower(made.trace, made.plan));
    return made;
  }();
  return all_swapped;
}

void count_instructions(benchmark::State& state) {
  const auto instructions = static_cast<std::int64_t>(resnet152().schedule.instructions.size());
  state.SetItemsProcessed(state.iterations() * instructions);
  state.counters["instructions"] = static_cast<double>(instructions);
}

void Simulate(benchmark::State& state) {
  const Case& made = resnet152();
  for (auto _ : state) benchmark::DoNotOptimize(step_times(made.trace, made.schedule, made.trace.machine));
  count_instructions(state);
}
BENCHMARK(Simulate)->Unit(benchmark::kMillisecond);

void Verify(benchmark::State& state) {
  const Case& made = resnet152();
  for (auto _ : state) benchmark::DoNotOptimize(verify(made.trace, made.schedule));
  count_instructions(state);
}
BENCHMARK(Verify)->Unit(benchmark::kMillisecond);

void LowerQuickly(benchmark::State& state) {
  const Case& made = resnet152();
  for (auto _ : state) benchmark::DoNotOptimize(lower(made.trace, made.plan, Effort::quick));
  count_instructions(state);
}
BENCHMARK(LowerQuickly)->Unit(benchmark::kMillisecond);

void LowerThoroughly(benchmark::State& state) {
  const Case& made = resnet152();
  for (auto _ : state) benchmark::DoNotOptimize(lower(made.trace, made.plan, Effort::thorough));
  count_instructions(state);
}
BENCHMARK(LowerThoroughly)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace spillway
