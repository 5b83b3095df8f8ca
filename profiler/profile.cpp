#include "profiler/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/micro_batches.h"
#include "core/statistics.h"
#include "profiler/copy_timer.h"
#include "profiler/distinct_ops.h"
#include "profiler/interference.h"
#include "profiler/issue_timer.h"
#include "profiler/kernel_observer.h"
#include "profiler/machine.h"
#include "profiler/machine_facts.h"
#include "profiler/step_places.h"
#include "profiler/step_timer.h"
#include "profiler/trials.h"
#include "profiler/variants.h"

namespace spillway {
namespace {

std::vector<std::int64_t> ascending(std::vector<std::int64_t> batches) {
  std::ranges::sort(batches);
  const auto doubles = std::ranges::unique(batches);
  batches.erase(doubles.begin(), doubles.end());
  if (batches.empty()) throw input_error("profile: found no batch, expected at least one");
  if (batches.front() < 1) throw input_error(fmt::format("profile: found batch {}, expected above 0", batches.front()));
  return batches;
}

/// The bench for the largest op. If even that one alone can't be had, the complaint names it.
Workbench bench_for(Device& device, const std::vector<Variant>& variants) {
  const DistinctOp* largest = nullptr;
  Bytes operands;
  for (const Variant& variant : variants) {
    for (std::size_t i = 0; i < variant.candidates.size(); ++i) {
      for (const Candidate& candidate : variant.candidates[i]) {
        if (candidate.places.end <= operands) continue;
        operands = candidate.places.end;
        largest = &variant.distinct.ops[i];
      }
    }
  }
  Bytes integers;  // a step in place needs them beside
  for (const std::int64_t batch : variants.front().batches)
    integers = std::max(integers, bytes_of_integers(variants.front().graph, batch, device.properties().alignment));
  const bool fit = operands + integers <= device.properties().memory;
  try {
    return Workbench(device, std::max(fit ? operands + integers : operands, issue_operands()));
  } catch (const Error& error) {
    if (largest == nullptr || error.code() != ExitCode::machine) throw;
    throw machine_error(fmt::format("{}: its operands and workspace alone need {} ({} bytes): {}", named(*largest),
                                    to_text(operands), operands.value, error.what()));
  }
}

constexpr std::int64_t kStepsInPlace = 3;

// A cost of zero isn't one: the clock's resolution stands for it.
constexpr double kLeastSeconds = 1e-9;

KernelCost cost_of(const Candidate& candidate, const OpTiming& timing, const Interference& interference,
                   const ObservedOp& observed) {
  const double seconds = std::max(timing.seconds.value, kLeastSeconds);
  const bool knows = !timing.copying_disturbed && timing.seconds.value > 0;
  const double slowdown = knows ? slowdown_at(interference.rate, timing) : interference.slowdown;
  return {.kernel = candidate.option.id,
          .workspace = candidate.option.workspace,
          .seconds = {seconds},
          .spread = timing.spread,
          .seconds_while_copying = {seconds * (1 + slowdown)},
          .repeats = timing.repeats,
          .device_seconds = observed.seconds,
          .device_kernels = observed.kernels,
          .throttled = timing.throttled};
}

/// What the device sees of its kernels, one per candidate; nothing seen where it can't tell.
std::vector<ObservedOp> observe_all(Workbench& bench, const DistinctOps& distinct, const std::vector<Candidate>& all) {
  std::vector<ObservedOp> result(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto observed = observe_op(bench, distinct.ops[i].description, all[i].kernel, all[i].places);
    if (!observed) break;  // it can't tell of the others either
    result[i] = *std::move(observed);
  }
  return result;
}

/// The clocks that were read while the op ran that takes longest: those of a GPU at work.
std::optional<ClockReading> clocks_at_work(const std::vector<OpTiming>& timings) {
  const auto longest = std::ranges::max_element(timings, {}, &OpTiming::seconds);
  return longest == timings.end() ? std::nullopt : longest->clocks;
}

void warn_of(const Trace& trace, const std::vector<ObservedOp>& observed,
             const std::function<void(const std::string&)>& warn) {
  if (!warn) return;
  std::size_t lost = 0;
  for (const ObservedOp& op : observed) lost += op.lost;
  if (lost > 0) {
    warn(fmt::format("{} lost sight of {} kernel{}; an op that it never saw whole has no device time in the trace",
                     trace.provenance.tracer, lost, lost == 1 ? "" : "s"));
  }
  if (const auto line = clock_disagreement(trace)) warn(*line);
}

/// The costs at one batch: of its own distinct ops only, by first appearance. Behind the first `ops` stand the
/// accumulations.
BatchCosts costs_of(std::int64_t batch, std::size_t ops, const IdVector<OpId, std::uint32_t>& stands_for,
                    const std::vector<KernelCost>& all) {
  constexpr std::uint32_t kUnseen = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::uint32_t> index(all.size(), kUnseen);
  BatchCosts costs{.batch = batch, .kernels = {}, .kernel_of = {}};
  for (const std::uint32_t distinct : stands_for) {
    if (index[distinct] == kUnseen) {
      index[distinct] = static_cast<std::uint32_t>(costs.kernels.size());
      costs.kernels.push_back(all[distinct]);
    }
    add_kernel(costs, ops, index[distinct]);
  }
  return costs;
}

/// The network's step in one go, at the batch of this index.
std::optional<StepTiming> step_at(Workbench& bench, const Winner& winner, std::size_t batch, std::int64_t runs) {
  const Variant& variant = winner.variant;
  std::vector<const Candidate*> kernels;
  for (const OpId op : variant.graph.ops.ids())
    kernels.push_back(&winner.kernels[variant.distinct.stands_for_at[batch][op]]);
  return time_step(bench, variant.graph, variant.batches[batch], kernels, runs);
}

/// What ops of each kind took in a step over what they took apart becomes the factor of their kernels. On the host a
/// step can only be faster, since apart every cache was cold: what took longer was disturbed, which isn't seen here.
StepInPlace with_cache_factors(const Graph& graph, const StepTiming& timing, bool on_host, BatchCosts& costs) {
  StepInPlace step{.batch = costs.batch, .apart = {}, .ops = {}, .step = timing.step};
  struct Sums {
    Seconds apart, in_place;
  };
  std::map<std::string_view, Sums> kinds;
  for (const OpId op : graph.ops.ids()) {
    const Seconds apart = cost(costs, op).seconds, in_place = timing.ops[op.index()];
    Sums& sums = kinds[kind_of(graph.ops[op].attributes)];
    sums.apart += apart;
    sums.in_place += in_place;
    step.apart += apart;
    step.ops += in_place;
  }
  for (const OpId op : graph.ops.ids()) {
    const Sums& sums = kinds[kind_of(graph.ops[op].attributes)];
    const double factor = std::max(sums.in_place, Seconds{kLeastSeconds}) / sums.apart;
    costs.kernels[costs.kernel_of[op]].cache_factor = on_host ? std::min(1.0, factor) : factor;
  }
  return step;
}

}  // namespace

Trace profile(Device& device, const ProfileRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  const auto tell = [&](bool trial, const DistinctOp& op, std::size_t number, std::size_t count) {
    if (!request.progress) return;
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    request.progress({trial, number, count, op.name, op.batch, {elapsed.count()}});
  };
  const std::vector<std::int64_t> batches = ascending(request.batches);
  std::vector<Variant> variants = variants_of(device, request.graph, batches, request.layout, request.candidates);
  Workbench bench = bench_for(device, variants);
  prepare_undisputed(device, variants);

  Trace trace;
  trace.provenance = provenance_now(device.properties(), request.command);
  trace.issue = time_issue(bench);
  // Before the first cache flush, whose memory no step needs.
  trace.process_bytes = {std::max<std::int64_t>(0, (resident_memory() - bench.allocated()).value)};
  trace.copies = time_copies(bench);
  trace.machine = platform_of(device.properties(), trace.copies);

  const HostLink& link = trace.machine.host_link;
  const BytesPerSecond both = link.both ? link.both->value : BytesPerSecond{link.in.value.value + link.out.value.value};
  const RepeatRule rule = request.repeats.value_or(repeat_rule(device.properties()));
  OpTimer timer(bench, both, rule);
  Winner winner = try_out(device, timer, std::move(variants), std::bind_front(tell, true));
  const DistinctOps& distinct = winner.variant.distinct;
  const std::vector<Candidate>& all = winner.kernels;
  std::vector<OpTiming> timings;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const DistinctOp& op = distinct.ops[i];
    tell(false, op, i, all.size());
    timings.push_back(timer.time(op.description, all[i].kernel, all[i].places));
  }

  const Interference interference = interference_of(timings, both);
  trace.interference_rate = interference.rate;
  trace.provenance.clocks = clocks_at_work(timings);
  const bool on_host = device.properties().on_host;
  std::vector<std::optional<StepTiming>> steps;
  for (std::size_t i = 0; i < batches.size(); ++i)
    steps.push_back(step_at(bench, winner, i, std::min(kStepsInPlace, rule.least)));
  // Last, since what looks at kernels may slow them from then on.
  const std::vector<ObservedOp> observed = observe_all(bench, distinct, all);
  if (!observed.empty()) trace.provenance.tracer = observed.front().by;
  std::vector<KernelCost> costs;
  for (std::size_t i = 0; i < all.size(); ++i) costs.push_back(cost_of(all[i], timings[i], interference, observed[i]));
  for (std::size_t i = 0; i < batches.size(); ++i) {
    trace.batches.push_back(costs_of(batches[i], request.graph.ops.size(), distinct.stands_for_at[i], costs));
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    if (steps[i]) trace.steps.push_back(with_cache_factors(winner.variant.graph, *steps[i], on_host, trace.batches[i]));
  }
  trace.graph = std::move(winner.variant.graph);
  trace.layouts = std::move(winner.layouts);
  warn_of(trace, observed, request.warn);
  return trace;
}

}  // namespace spillway
