#include "compile/lower.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/platform.h"
#include "core/io/atomic_file.h"
#include "core/io/report.h"
#include "sim/simulate.h"
#include "sim/transfer.h"
#include "verify/verify.h"

namespace spillway {
namespace {

Engine engine_of(const std::string& name) {
  if (name == "replica") return Engine::replica;
  if (name == "simgrid") return Engine::simgrid;
  const std::string near = nearest_name(name, std::vector<std::string>{"replica", "simgrid"});
  throw input_error(fmt::format("simulate: --engine: found '{}', expected replica or simgrid{}", name,
                                near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace

ExitCode run_lower(const LowerOptions& options) {
  require_writable(options.output);
  ScheduleFile file = load_schedule(options.plan);
  file.schedule.plan.trace_path = relative_to(trace_path_of(options.plan, file.schedule.plan), options.output);
  write_file_atomically(options.output, schedule_text(file.schedule, file.trace.graph));
  std::size_t waits = 0, copies = 0;
  for (const Instruction& instruction : file.schedule.instructions) {
    waits += instruction.waits.size();
    copies += runs_op(instruction.kind) ? 0 : 1;
  }
  const std::size_t computes = positions(file.schedule);
  print_facts(
      {{"schedule", options.output},
       {"instructions", fmt::format("{} computes, {} copies, {} waits across streams", computes, copies, waits)},
       {"arena", fmt::format("{} (peak live bytes {}, fragmentation {})", to_text(file.schedule.arena_bytes),
                             to_text(file.schedule.peak_live_bytes),
                             to_text(file.schedule.arena_bytes - file.schedule.peak_live_bytes))},
       {"host pool", to_text(file.schedule.host_bytes)}});
  return ExitCode::yes;
}

ExitCode run_verify(const VerifyOptions& options) {
  const ScheduleFile file = read_schedule(options.schedule);
  const std::vector<Violation> violations = verify(file.trace, file.schedule);
  for (const Violation& violation : violations) fmt::print("{}\n", violation.text);
  if (violations.empty()) {
    fmt::print("{}: safe to run: {} instructions on {} streams\n", options.schedule, file.schedule.instructions.size(),
               file.schedule.streams.size());
    return ExitCode::yes;
  }
  fmt::print("{}: not safe to run: {} violations; docs/verifier.md explains the rules\n", options.schedule,
             violations.size());
  return ExitCode::no;
}

ExitCode run_simulate(const SimulateOptions& options) {
  const Engine engine = engine_of(options.engine);
  if (options.timeline) require_writable(*options.timeline);
  const ScheduleFile file = load_schedule(options.file);
  const Schedule& schedule = file.schedule;
  PlatformOptions machine = options.machine;
  if (machine.platform && !machine.gpus && !machine.nodes) {  // the plan's ranks, on another machine
    machine.gpus = schedule.plan.platform.gpus_per_node;
    if (schedule.plan.platform.nodes > 1) machine.nodes = schedule.plan.platform.nodes;
  }
  const Platform platform = platform_for(machine, file.trace, schedule.plan.platform);
  if ((platform.ranks() > 1) != schedule.plan.reduction.has_value()) {
    throw input_error(fmt::format("{}: the plan is for {} rank{}, the machine has {}; run 'spillway tune' for it",
                                  options.file, schedule.plan.platform.ranks(),
                                  schedule.plan.platform.ranks() == 1 ? "" : "s", platform.ranks()));
  }
  const Transferred times = transferred(file.trace, platform);
  const Timeline timeline = simulate(times.trace, schedule, platform, engine);
  if (options.timeline) write_file_atomically(*options.timeline, timeline_text(timeline));
  Bytes out, in;
  for (const TimelineEvent& event : timeline.events) {
    if (event.kind == "swap_out") out += event.bytes;
    if (event.kind == "swap_in") in += event.bytes;
  }
  Plan there = schedule.plan;
  there.platform = platform;
  const double samples = static_cast<double>(samples_per_step(there)) / timeline.step.value;
  if (options.json) {
    Report report;
    report.add("step_seconds", timeline.step);
    report.add("samples_per_second", samples);
    report.add("stall_seconds", timeline.stall);
    report.add("arena_bytes", schedule.arena_bytes);
    report.add("host_bytes", schedule.host_bytes);
    report.add("swap_out_bytes", out);
    report.add("swap_in_bytes", in);
    report.add("ranks", platform.ranks());
    report.add("times", times.how);
    report.add("engine", options.engine);
    fmt::print("{}", report.json());
    return ExitCode::yes;
  }
  std::vector<std::pair<std::string, std::string>> facts{
      {"platform", platform.name},
      {"predicted step", fmt::format("{}, of which {} stall ({:.1f} %)", to_text(timeline.step),
                                     to_text(timeline.stall), 100 * (timeline.stall / timeline.step))},
      {"samples a second", fmt::format("{:.3g}", samples)},
      {"copies", fmt::format("{} out, {} in", to_text(out), to_text(in))},
      {"arena", to_text(schedule.arena_bytes)},
      {"host pool", to_text(schedule.host_bytes)},
      {"times", times.how},
      {"engine", engine == Engine::replica ? "replica" : "simgrid: ops aren't slowed down by copies beside them"}};
  if (platform.ranks() > 1) facts.emplace(facts.begin() + 1, "ranks", std::to_string(platform.ranks()));
  if (options.timeline) facts.emplace_back("timeline", *options.timeline + " (open it at ui.perfetto.dev)");
  print_facts(facts);
  return ExitCode::yes;
}

}  // namespace spillway
