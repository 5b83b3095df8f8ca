// How fast plans are lowered, verified and simulated. Items are instructions.
#include <benchmark/benchmark.h>

#include "compile/lower.h"
#include "core/gradients.h"
#include "core/planned_step.h"
#include "models/models.h"
#include "sim/simgrid.h"
#include "sim/simulate.h"
#include "tuner/reduction.h"
#include "verify/verify.h"

namespace spillway {
namespace {

/// A model with made-up costs: what matters here is how many instructions there are. Every gap is swapped.
struct Case {
  Trace trace;  ///< of the planned step
  Plan plan;
  Schedule schedule;

  [[nodiscard]] std::int64_t instructions() const { return static_cast<std::int64_t>(schedule.instructions.size()); }
};

Case all_swapped(const std::string& model, const std::vector<std::string>& settings, const Platform& platform) {
  Case made;
  made.trace.graph = make_model(model, parse_settings(settings));
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
  made.trace.machine = platform;
  made.plan.platform = platform;
  made.plan.capacity = {1LL << 40};
  if (platform.ranks() > 1) {
    made.plan.reduction.emplace();
    for (const BufferId gradient : parameter_gradients(made.trace.graph))
      made.plan.reduction->buckets.push_back({gradient});
  }
  made.trace = planned_step(made.trace, made.plan.micro_batches, made.plan.reduction);
  const auto stream = compute_stream(made.trace.graph, {});
  for (const Gap& gap : gaps(made.trace.graph, uses(made.trace.graph, stream, 1), stream.size())) {
    if (!gap.wraps && gap.after.valid() && gap.before.valid()) {
      made.plan.swaps.push_back(
          {.gap = gap, .release = gap.after, .begin = gap.before, .mode = SwapMode::prefetch, .remark = ""});
    }
  }
  made.schedule = std::get<Schedule>(lower(made.trace, made.plan));
  return made;
}

Rate made_up(double bytes_per_second) {
  return {.value = {bytes_per_second}, .source = "made up"};
}

/// GPUs that are all alike, each with a host link of its own and at one crossbar; several nodes have networks.
Platform equal_gpus(std::int64_t gpus, std::int64_t nodes = 1) {
  Platform platform{.name = "made up",
                    .device = "cpu",
                    .nodes = nodes,
                    .gpus_per_node = gpus,
                    .device_memory = {1LL << 40},
                    .host_memory = {1LL << 40},
                    .host_link = {.in = made_up(10e9), .out = made_up(10e9), .both = {}, .start = {1e-5}}};
  if (gpus * nodes > 1) {
    platform.gpu_links =
        GpuLinks{.kind = GpuLinks::Kind::crossbar, .rate = made_up(100e9), .bricks = {}, .start = {1e-6}};
  }
  if (nodes > 1) platform.network = Network{.nics = gpus, .rate = made_up(10e9), .start = {5e-6}};
  return platform;
}

const Case& resnet152() {
  static const Case made = all_swapped("resnet", {"depth=152", "side=64", "classes=10"}, equal_gpus(1));
  return made;
}

/// Some hundred instructions, 8 nodes of 8 GPUs; two GPUs share an uplink.
const Case& on_64_ranks() {
  static const Case made = [] {
    Platform platform = equal_gpus(8, 8);
    platform.uplink = Uplink{.gpus = 2, .in = made_up(12e9), .out = made_up(12e9), .both = {}};
    return all_swapped("resnet", {"depth=18", "side=64", "classes=10"}, platform);
  }();
  return made;
}

/// `ranks`: that are simulated one by one.
void count(benchmark::State& state, const Case& made, std::int64_t ranks = 1) {
  state.SetItemsProcessed(state.iterations() * made.instructions() * ranks);
  state.counters["instructions"] = static_cast<double>(made.instructions());
}
void count_instructions(benchmark::State& state) {
  count(state, resnet152());
}

void Simulate(benchmark::State& state) {
  const Case& made = resnet152();
  for (auto _ : state) benchmark::DoNotOptimize(step_times(made.trace, made.schedule, made.trace.machine));
  count_instructions(state);
}
BENCHMARK(Simulate)->Unit(benchmark::kMillisecond);

void Simulate64RanksUnfolded(benchmark::State& state) {
  const Case& made = on_64_ranks();
  const Machine machine(made.plan.platform, false);
  for (auto _ : state) benchmark::DoNotOptimize(step_times(made.trace, made.schedule, machine));
  count(state, made, 64);
}
BENCHMARK(Simulate64RanksUnfolded)->Unit(benchmark::kMillisecond);

void Simulate64RanksFolded(benchmark::State& state) {
  const Case& made = on_64_ranks();
  const Machine machine(made.plan.platform);
  for (auto _ : state) benchmark::DoNotOptimize(step_times(made.trace, made.schedule, machine));
  count(state, made, 64);
  state.counters["classes"] = static_cast<double>(machine.classes());
}
BENCHMARK(Simulate64RanksFolded)->Unit(benchmark::kMillisecond);

void Simulate64RanksBySimGrid(benchmark::State& state) {
  if (!simgrid_version()) {
    state.SkipWithError("built without SimGrid");
    return;
  }
  const Case& made = on_64_ranks();
  for (auto _ : state) benchmark::DoNotOptimize(run_simgrid(made.trace, made.schedule, made.plan.platform));
  count(state, made, 64);
}
// Real time: it runs in a process of its own.
BENCHMARK(Simulate64RanksBySimGrid)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Ranks that are all alike cost no more than one, but for folding them (Fold).
void SimulateEqualRanks(benchmark::State& state) {
  const Case made = all_swapped("resnet", {"depth=18", "side=64", "classes=10"}, equal_gpus(state.range(0)));
  const Machine machine(made.plan.platform);
  for (auto _ : state) benchmark::DoNotOptimize(step_times(made.trace, made.schedule, machine));
  count(state, made);
}
BENCHMARK(SimulateEqualRanks)->Arg(8)->Arg(512)->Unit(benchmark::kMillisecond);

void Fold(benchmark::State& state) {
  const Platform platform = equal_gpus(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(Machine(platform).classes());
}
BENCHMARK(Fold)->Arg(8)->Arg(512)->Unit(benchmark::kMillisecond);

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
