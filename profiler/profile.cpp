#include "profiler/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "core/error.h"
#include "core/micro_batches.h"
#include "core/statistics.h"
#include "profiler/copy_timer.h"
#include "profiler/distinct_ops.h"
#include "profiler/issue_timer.h"
#include "profiler/kernel_observer.h"
#include "profiler/machine.h"
#include "profiler/machine_facts.h"

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

std::string named(const DistinctOp& op) {
  return fmt::format("op '{}' at batch {}", op.name, op.batch);
}

/// A distinct op with all that is needed to run it.
struct Candidate {
  KernelOption kernel;
  OperandPlaces places;
};

void refuse_larger(const Device& device, const DistinctOp& op, Bytes needed, const char* of_what) {
  const Bytes memory = device.properties().memory;
  if (needed <= memory) return;
  throw machine_error(fmt::format("{}: its {} alone need {} ({} bytes), but device {} has {}; try a smaller batch",
                                  named(op), of_what, to_text(needed), needed.value, device.properties().device,
                                  to_text(memory)));
}

std::vector<Candidate> candidates(Device& device, const DistinctOps& distinct) {
  const Bytes alignment = device.properties().alignment;
  std::vector<Candidate> result;
  for (const DistinctOp& op : distinct.ops) {
    refuse_larger(device, op, place_operands(op.description, Bytes{0}, alignment).end, "operands");
    const std::vector<KernelOption> options = device.kernels(op.description);
    if (options.empty()) {
      throw machine_error(fmt::format("{}: device {} has no kernel for {}", named(op), device.properties().device,
                                      kind_of(op.description.attributes)));
    }
    OperandPlaces places = place_operands(op.description, options.front().workspace, alignment);
    refuse_larger(device, op, places.end, "operands and workspace");
    result.push_back({.kernel = options.front(), .places = std::move(places)});
  }
  return result;
}

/// The bench for the largest op. If even that one alone can't be had, the complaint names it.
Workbench bench_for(Device& device, const DistinctOps& distinct, const std::vector<Candidate>& all) {
  std::size_t largest = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].places.end > all[largest].places.end) largest = i;
  }
  try {
    const Bytes operands = all.empty() ? Bytes{0} : all[largest].places.end;
    return Workbench(device, std::max(operands, issue_operands()));
  } catch (const Error& error) {
    if (all.empty() || error.code() != ExitCode::machine) throw;
    throw machine_error(fmt::format("{}: its operands and workspace alone need {} ({} bytes): {}",
                                    named(distinct.ops[largest]), to_text(all[largest].places.end),
                                    all[largest].places.end.value, error.what()));
  }
}

/// The median of value(timing), each weighing as much as the op lasts, since short ones hardly see a copy.
template <class Value>
double weighted_median(const std::vector<OpTiming>& timings, double if_none, Value value) {
  std::vector<std::pair<double, double>> weighted;
  double total = 0, passed = 0;
  for (const OpTiming& timing : timings) {
    if (timing.copying_disturbed || timing.copy_rate.value <= 0 || timing.seconds.value <= 0) continue;
    weighted.emplace_back(value(timing), timing.seconds.value);
    total += timing.seconds.value;
  }
  std::ranges::sort(weighted);
  for (const auto& [each, weight] : weighted) {
    passed += weight;
    if (passed >= total / 2) return each;
  }
  return if_none;
}

/// What copies do to ops in general.
struct Interference {
  BytesPerSecond rate;  ///< of the whole trace
  double slowdown = 0;  ///< typical share by which an op is slower at that rate
};

// An op too short to see copies at anything near the trace's rate tells little; what it tells isn't magnified further
// than this.
constexpr double kMostScaling = 2;

/// By which share the op is slower while copies cross the link at `rate`: in proportion from the rate that it saw.
///
/// A device without a link rate is measured at full speed, since only that shows through the noise: a 3D convolution
/// of 16 channels on one core of two was 5.3 % slower at 13.5 GB/s both ways together, 0.9 % at 6 GB/s, and no slower
/// than its spread of 1 % at 1.7 and at 0.3 GB/s. In proportion from full speed that makes 0.7 % and 0.1 %: for the
/// links that are simulated the error is below what could be measured there.
double slowdown_at(BytesPerSecond rate, const OpTiming& timing) {
  const double scaling = timing.copy_rate.value > 0 ? std::min(kMostScaling, rate.value / timing.copy_rate.value) : 1;
  return std::max(0.0, timing.while_copying / timing.seconds - 1) * scaling;
}

Interference interference_of(const std::vector<OpTiming>& timings, BytesPerSecond link) {
  const BytesPerSecond rate{
      weighted_median(timings, link.value, [](const OpTiming& timing) { return timing.copy_rate.value; })};
  return {.rate = rate,
          .slowdown = weighted_median(timings, 0, [&](const OpTiming& timing) { return slowdown_at(rate, timing); })};
}

// A cost of zero isn't one: the clock's resolution stands for it.
constexpr double kLeastSeconds = 1e-9;

KernelCost cost_of(const Candidate& candidate, const OpTiming& timing, const Interference& interference,
                   const ObservedOp& observed) {
  const double seconds = std::max(timing.seconds.value, kLeastSeconds);
  const bool knows = !timing.copying_disturbed && timing.seconds.value > 0;
  const double slowdown = knows ? slowdown_at(interference.rate, timing) : interference.slowdown;
  return {.kernel = candidate.kernel.id,
          .workspace = candidate.kernel.workspace,
          .seconds = {seconds},
          .spread = timing.spread,
          .seconds_while_copying = {seconds * (1 + slowdown)},
          .repeats = timing.repeats,
          .device_seconds = observed.seconds,
          .device_kernels = observed.kernels,
          .throttled = timing.throttled};
}

/// What the device sees of its kernels, one per candidate; nothing seen where it can't tell.
std::vector<ObservedOp> observe_all(Workbench& bench, const DistinctOps& distinct, const std::vector<Candidate>& all,
                                    const std::vector<KernelId>& kernels) {
  std::vector<ObservedOp> result(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto observed = observe_op(bench, distinct.ops[i].description, kernels[i], all[i].places);
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

}  // namespace

Trace profile(Device& device, const ProfileRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  const std::vector<std::int64_t> batches = ascending(request.batches);
  const DistinctOps distinct = distinct_ops(with_accumulations(request.graph), batches);
  const std::vector<Candidate> all = candidates(device, distinct);
  Workbench bench = bench_for(device, distinct, all);
  std::vector<KernelId> kernels;
  for (std::size_t i = 0; i < all.size(); ++i) {
    kernels.push_back(device.prepare(distinct.ops[i].description, all[i].kernel.id));
  }

  Trace trace;
  trace.graph = request.graph;
  trace.provenance = provenance_now(device.properties(), request.command);
  trace.issue = time_issue(bench);
  // Before the first cache flush, whose memory no step needs.
  trace.process_bytes = {std::max<std::int64_t>(0, (resident_memory() - bench.allocated()).value)};
  trace.copies = time_copies(bench);
  trace.machine = platform_of(device.properties(), trace.copies);

  const HostLink& link = trace.machine.host_link;
  const BytesPerSecond both = link.both ? link.both->value : BytesPerSecond{link.in.value.value + link.out.value.value};
  OpTimer timer(bench, both, request.repeats.value_or(repeat_rule(device.properties())));
  std::vector<OpTiming> timings;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const DistinctOp& op = distinct.ops[i];
    if (request.progress) {
      const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
      request.progress({i, all.size(), op.name, op.batch, {elapsed.count()}});
    }
    timings.push_back(timer.time(op.description, kernels[i], all[i].places));
  }

  const Interference interference = interference_of(timings, both);
  trace.interference_rate = interference.rate;
  trace.provenance.clocks = clocks_at_work(timings);
  const std::vector<ObservedOp> observed = observe_all(bench, distinct, all, kernels);
  if (!observed.empty()) trace.provenance.tracer = observed.front().by;
  std::vector<KernelCost> costs;
  for (std::size_t i = 0; i < all.size(); ++i) costs.push_back(cost_of(all[i], timings[i], interference, observed[i]));
  for (std::size_t i = 0; i < batches.size(); ++i) {
    trace.batches.push_back(costs_of(batches[i], request.graph.ops.size(), distinct.stands_for_at[i], costs));
  }
  warn_of(trace, observed, request.warn);
  return trace;
}

}  // namespace spillway
