#include "tuner/tune.h"

#include <fmt/format.h>

#include <charconv>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/platform.h"
#include "compile/lower.h"
#include "core/gradients.h"
#include "core/io/atomic_file.h"
#include "core/io/files.h"
#include "core/io/report.h"
#include "core/micro_batches.h"
#include "core/planned_step.h"
#include "sim/transfer.h"
#include "tuner/batch.h"
#include "tuner/capacity.h"
#include "tuner/scaling.h"

namespace spillway {
namespace {

std::int64_t parse_batch(const std::string& text) {
  std::int64_t batch = 0;
  const auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), batch);
  if (error != std::errc() || next != text.data() + text.size() || batch < 1) {
    throw input_error(fmt::format("--batch: found '{}', expected a number from 1 on, or auto", text));
  }
  return batch;
}

std::int64_t parse_micro_batches(const std::string& text) {
  std::int64_t count = 0;
  const auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && next == text.data() + text.size() && count >= 1 && count <= kMostMicroBatches)
    return count;
  throw input_error(
      fmt::format("--micro-batches: found '{}', expected a number from 1 to {}", text, kMostMicroBatches));
}

/// Bytes that cross the link in one step, out and in together.
Bytes copied_bytes(const Graph& graph, const Schedule& schedule) {
  Bytes sum;
  for (const Instruction& instruction : schedule.instructions) {
    if (runs_op(instruction.kind)) continue;
    sum += bytes(graph.buffers[instruction.buffer], schedule.plan.batch);
  }
  return sum;
}

std::string ranks_text(const Platform& platform) {
  return platform.nodes == 1
             ? fmt::format("{}", platform.ranks())
             : fmt::format("{}: {} on each of {} nodes", platform.ranks(), platform.gpus_per_node, platform.nodes);
}

double samples_a_second(const Plan& plan) {
  return static_cast<double>(samples_per_step(plan)) / plan.prediction->step.value;
}

/// What several ranks add to the facts.
void add_ranks(const Tuned& tuned, const Trace& step, const std::optional<Scaling>& gained, Facts& facts) {
  if (!tuned.plan.reduction) return;
  Bytes reduced;
  for (const BufferId gradient : parameter_gradients(step.graph)) reduced += bytes(step.graph.buffers[gradient], 1);
  facts.emplace_back("ranks", ranks_text(tuned.plan.platform));
  facts.emplace_back("all-reduces",
                     fmt::format("{}, {} a step; updates {} behind", tuned.plan.reduction->buckets.size(),
                                 to_text(reduced), tuned.plan.reduction->updates_behind));
  if (!gained) {
    facts.emplace_back("scaling", "unknown: nothing fits on one rank");
    return;
  }
  facts.emplace_back("scaling", fmt::format("{:.1f} % of linear: one rank alone takes {} a step",
                                            100 * gained->efficiency, to_text(gained->one_rank)));
  facts.emplace_back("one rank's plan", gained->with_one_rank_plan
                                            ? fmt::format("{} on all ranks ({})", to_text(*gained->with_one_rank_plan),
                                                          percent(*gained->with_one_rank_plan / tuned.times.step - 1))
                                            : "doesn't fit on all ranks: gradients wait for all-reduces");
}

/// What one does with a plan: train by it where kernels of its device were traced, else simulate it.
std::string next_command(const Plan& plan, const Provenance& traced, const std::string& output) {
  const auto backend = [](const std::string& device) { return device.substr(0, device.find(':')); };
  if (backend(plan.platform.device) != backend(traced.device)) return fmt::format("spillway simulate {}", output);
  const std::int64_t ranks = plan.platform.ranks();
  return ranks == 1 ? fmt::format("spillway execute {}", output)
                    : fmt::format("mpirun -n {} spillway execute {}", ranks, output);
}

void print_tuned(const Tuned& tuned, const Trace& trace, const std::optional<Scaling>& gained, const std::string& times,
                 const std::string& output) {
  const Prediction& expected = *tuned.plan.prediction;
  std::string knobs;
  for (const auto& [key, value] : tuned.plan.knobs) knobs += fmt::format(" {}={}", key, value);
  std::string platform = tuned.plan.platform.name;
  Facts facts{{"plan", output},
              {"policy", tuned.plan.policy + knobs},
              {"platform", platform},
              {"batch", batch_text(tuned.plan)},
              {"capacity", fmt::format("{} ({:.1f} % of the footprint, {})", to_text(tuned.plan.capacity),
                                       100.0 * static_cast<double>(tuned.plan.capacity.value) /
                                           static_cast<double>(expected.footprint.value),
                                       to_text(expected.footprint))},
              {"arena", to_text(expected.arena)},
              {"host pool", to_text(expected.host)},
              {"swaps", fmt::format("{}, {} over the link a step", tuned.plan.swaps.size(),
                                    to_text(copied_bytes(trace.graph, tuned.schedule)))},
              {"predicted step", fmt::format("{}, of which {} stall ({:.1f} %)", to_text(expected.step),
                                             to_text(expected.stall), 100 * (expected.stall / expected.step))},
              {"samples a second", fmt::format("{:.3g}", samples_a_second(tuned.plan))}};
  add_ranks(tuned, trace, gained, facts);
  facts.emplace_back("times", times);
  facts.emplace_back("next", next_command(tuned.plan, trace.provenance, output));
  print_facts(facts);
}

void add_facts(Report& report, const Tuned& tuned, const std::optional<Scaling>& gained) {
  const Prediction& expected = *tuned.plan.prediction;
  report.add("policy", tuned.plan.policy);
  report.add("batch", tuned.plan.batch);
  report.add("micro_batches", tuned.plan.micro_batches);
  report.add("capacity_bytes", tuned.plan.capacity);
  report.add("step_seconds", expected.step);
  report.add("samples_per_second", samples_a_second(tuned.plan));
  report.add("compute_seconds", expected.compute);
  report.add("stall_seconds", expected.stall);
  report.add("arena_bytes", expected.arena);
  report.add("host_bytes", expected.host);
  report.add("footprint_bytes", expected.footprint);
  report.add("swaps", static_cast<std::int64_t>(tuned.plan.swaps.size()));
  if (!tuned.plan.reduction) return;
  report.add("ranks", tuned.plan.platform.ranks());
  report.add("all_reduces", static_cast<std::int64_t>(tuned.plan.reduction->buckets.size()));
  if (!gained) return;
  report.add("one_rank_step_seconds", gained->one_rank);
  report.add("scaling_efficiency", gained->efficiency);
  if (gained->with_one_rank_plan) report.add("one_rank_plan_step_seconds", *gained->with_one_rank_plan);
}

ExitCode refuse(const NothingFits& no, const TuneRequest& request) {
  std::string line = fmt::format("policy '{}' finds no plan: {}", request.policy, to_text(no.shortfall));
  if (no.smallest_capacity) {
    line += fmt::format("; the smallest capacity that would do: {} ({} bytes)", to_text(*no.smallest_capacity),
                        no.smallest_capacity->value);
  }
  throw Error(ExitCode::no, line);
}

void print_curve(const BatchCurve& curve) {
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < curve.points.size(); ++i) {
    const BatchPoint& point = curve.points[i];
    std::string remark = curve.largest == i ? "largest that fits" : "";
    if (curve.fastest == i) remark = remark.empty() ? "fastest" : "largest that fits, fastest";
    std::vector<std::string> row{std::to_string(point.batch), to_text(point.footprint)};
    if (point.fits) {
      row.insert(row.end(),
                 {to_text(point.arena), to_text(point.step), fmt::format("{:.3g}", point.samples_per_second), remark});
    } else {
      row.insert(row.end(), {point.smallest_capacity ? "needs " + to_text(*point.smallest_capacity) : "doesn't fit",
                             "-", "-", ""});
    }
    rows.push_back(std::move(row));
  }
  print_table({"batch", "footprint", "arena", "step", "samples/s", ""}, rows);
}

/// The whole curve, also when nothing fits.
void add_curve(Report& report, const BatchCurve& curve) {
  std::vector<Report> points;
  for (const BatchPoint& point : curve.points) {
    Report& item = points.emplace_back();
    item.add("batch", point.batch);
    item.add("footprint_bytes", point.footprint);
    item.add("fits", point.fits);
    if (!point.fits) continue;
    item.add("step_seconds", point.step);
    item.add("samples_per_second", point.samples_per_second);
    item.add("arena_bytes", point.arena);
  }
  report.add("batches", std::move(points));
  if (curve.largest) report.add("largest_batch", curve.points[*curve.largest].batch);
}

}  // namespace

ExitCode run_tune(const TuneOptions& options) {
  const Trace traced = read_trace(options.trace);
  require_writable(options.output);
  TuneRequest request;
  request.platform = platform_for(options.machine, traced, traced.machine);
  const Transferred times = transferred(traced, request.platform);
  const Trace& trace = times.trace;
  request.trace = &trace;
  request.policy = options.policy;
  request.constraints = {.keep = options.keep, .swap = options.swap, .recompute = options.recompute};
  if (options.evaluations > 0) request.evaluations = options.evaluations;
  if (options.host_capacity) request.host_capacity = parse_bytes(*options.host_capacity, "--host-capacity");
  const bool search_batch = options.batch == "auto";
  request.batch = options.batch && !search_batch ? parse_batch(*options.batch) : trace.batches.front().batch;
  static_cast<void>(costs_at(trace, request.batch));
  request.micro_batches = parse_micro_batches(options.micro_batches);
  std::vector<ReductionWay> ways;
  if (request.platform.ranks() > 1)
    ways = reduction_ways(trace, request.platform, request.batch, request.micro_batches);
  request.reduction_ways = ways;
  const Bytes all = footprint_of(request);
  request.capacity =
      options.capacity ? parse_capacity(*options.capacity, all) : default_capacity(request.platform, trace, all);
  ProgressLine line;
  request.progress = [&](const TuneProgress& progress) {
    line.show(fmt::format("tune: {} of at most {} candidates{}", progress.evaluations, progress.limit,
                          progress.best ? ", best step " + to_text(*progress.best) : ""));
  };

  Report report;
  std::variant<Tuned, NothingFits> found;
  if (search_batch) {
    BatchCurve curve = tune_batches(request);
    line.clear();
    add_curve(report, curve);
    if (!options.json) print_curve(curve);
    found = std::move(curve.result);
  } else {
    found = tune(request);
    line.clear();
  }
  if (const NothingFits* no = std::get_if<NothingFits>(&found)) return refuse(*no, request);
  Tuned tuned = std::get<Tuned>(std::move(found));
  tuned.plan.trace_path = relative_to(options.trace, options.output);
  tuned.plan.trace_sha256 = sha256_of_file(options.trace);
  const Trace step = planned_step(trace, tuned.plan.micro_batches, tuned.plan.reduction);
  write_file_atomically(options.output, plan_text(tuned.plan, step.graph));
  std::optional<Scaling> gained;
  if (request.platform.ranks() > 1) {
    request.batch = tuned.plan.batch;
    gained = scaling(request, tuned);
  }
  if (options.json) {
    add_facts(report, tuned, gained);
    report.add("times", times.how);
    fmt::print("{}", report.json());
  } else {
    print_tuned(tuned, step, gained, times.how, options.output);
  }
  return ExitCode::yes;
}

}  // namespace spillway
