#include "tuner/tune.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/platform.h"
#include "compile/lower.h"
#include "core/io/atomic_file.h"
#include "core/io/files.h"
#include "core/io/report.h"
#include "tuner/batch.h"

namespace spillway {
namespace {

/// `45%` of the footprint, or a size.
Bytes parse_capacity(const std::string& text, Bytes footprint) {
  if (!text.ends_with('%')) return parse_bytes(text, "--capacity");
  double percent = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [next, error] = std::from_chars(text.data(), end, percent);
  if (error != std::errc() || next != end || !(percent > 0) || !std::isfinite(percent)) {
    throw input_error(fmt::format("--capacity: found '{}', expected a share of the footprint such as 45%", text));
  }
  return {static_cast<std::int64_t>(static_cast<double>(footprint.value) * percent / 100)};
}

std::int64_t parse_batch(const std::string& text) {
  std::int64_t batch = 0;
  const auto [next, error] = std::from_chars(text.data(), text.data() + text.size(), batch);
  if (error != std::errc() || next != text.data() + text.size() || batch < 1) {
    throw input_error(fmt::format("--batch: found '{}', expected a number from 1 on, or auto", text));
  }
  return batch;
}

/// Bytes that cross the link in one step, out and in together.
Bytes copied_bytes(const Graph& graph, const Schedule& schedule) {
  Bytes sum;
  for (const Instruction& instruction : schedule.instructions) {
    if (instruction.kind == InstructionKind::compute) continue;
    sum += bytes(graph.buffers[instruction.buffer], schedule.plan.batch);
  }
  return sum;
}

void print_tuned(const Tuned& tuned, const Trace& trace, const std::string& output) {
  const Prediction& expected = *tuned.plan.prediction;
  const double batch = static_cast<double>(tuned.plan.batch);
  std::string knobs;
  for (const auto& [key, value] : tuned.plan.knobs) knobs += fmt::format(" {}={}", key, value);
  std::string platform = tuned.plan.platform.name;
  print_facts({{"plan", output},
               {"policy", tuned.plan.policy + knobs},
               {"platform", platform},
               {"batch", std::to_string(tuned.plan.batch)},
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
               {"samples a second", fmt::format("{:.3g}", batch / expected.step.value)},
               {"next", fmt::format("spillway execute {}", output)}});
}

void add_facts(Report& report, const Tuned& tuned) {
  const Prediction& expected = *tuned.plan.prediction;
  report.add("policy", tuned.plan.policy);
  report.add("batch", tuned.plan.batch);
  report.add("capacity_bytes", tuned.plan.capacity);
  report.add("step_seconds", expected.step);
  report.add("samples_per_second", static_cast<double>(tuned.plan.batch) / expected.step.value);
  report.add("compute_seconds", expected.compute);
  report.add("stall_seconds", expected.stall);
  report.add("arena_bytes", expected.arena);
  report.add("host_bytes", expected.host);
  report.add("footprint_bytes", expected.footprint);
  report.add("swaps", static_cast<std::int64_t>(tuned.plan.swaps.size()));
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
  const Trace trace = read_trace(options.trace);
  require_writable(options.output);
  TuneRequest request;
  request.trace = &trace;
  request.platform = platform_for(options.machine, trace, trace.machine);
  request.policy = options.policy;
  request.constraints = {.keep = options.keep, .swap = options.swap, .recompute = options.recompute};
  if (options.evaluations > 0) request.evaluations = options.evaluations;
  if (options.host_capacity) request.host_capacity = parse_bytes(*options.host_capacity, "--host-capacity");
  const bool search_batch = options.batch == "auto";
  request.batch = options.batch && !search_batch ? parse_batch(*options.batch) : trace.batches.front().batch;
  static_cast<void>(costs_at(trace, request.batch));
  const Bytes all = footprint(trace, request.batch);
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
  write_file_atomically(options.output, plan_text(tuned.plan, trace.graph));
  if (options.json) {
    add_facts(report, tuned);
    fmt::print("{}", report.json());
  } else {
    print_tuned(tuned, trace, options.output);
  }
  return ExitCode::yes;
}

}  // namespace spillway
