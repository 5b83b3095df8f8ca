#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>

#include "cli/commands.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/ranks.h"
#include "cli/room.h"
#include "cli/stop_on_signals.h"
#include "core/io/atomic_file.h"
#include "core/io/report.h"
#include "core/statistics.h"
#include "device/spec.h"
#include "executor/train.h"

namespace spillway {
namespace {

TrainRequest request_of(const ExecuteOptions& options, const ScheduleFile& file) {
  TrainRequest request;
  request.trace = &file.trace;
  request.schedule = &file.schedule;
  request.steps = options.steps;
  request.seed = options.seed;
  request.data = options.data;
  request.weights = options.weights;
  request.save = options.save;
  request.checkpoint = options.checkpoint;
  request.checkpoint_every = options.checkpoint_every;
  request.resume = options.resume;
  if (options.learning_rate) request.learning_rate = parse_learning_rate(*options.learning_rate);
  request.timeline = options.timeline.has_value();
  return request;
}

/// One line, or empty: gradients were added up otherwise than when the plan's times were measured.
std::string other_all_reduce(const Trace& trace, const Plan& plan, const Device& device) {
  const auto curve = std::ranges::find(trace.all_reduces, plan.platform.ranks(), &AllReduceCurve::ranks);
  if (curve == trace.all_reduces.end() || curve->by == device.all_reduce()) return {};
  const auto named = [](const std::string& by) { return by.empty() ? "host memory" : by; };
  return fmt::format("the trace's all-reduces went through {}, these through {}: times differ, and maybe last bits",
                     named(curve->by), named(device.all_reduce()));
}

void print_json(const TrainResult& result, const Schedule& schedule, double step) {
  Report report;
  report.add("steps", result.completed);
  report.add("first_step", result.first_step);
  report.add("stopped", result.stopped);
  report.add("step_seconds", step);
  if (step > 0) report.add("samples_per_second", static_cast<double>(samples_per_step(schedule.plan)) / step);
  report.add("micro_batches", schedule.plan.micro_batches);
  report.add("ranks", schedule.plan.platform.ranks());
  if (result.timeline) {
    report.add("stall_seconds", result.timeline->stall);
    report.add("traced_step_seconds", *result.traced_step);
    report.add("tracing_overhead", result.traced_step->value / step - 1);
  }
  report.add("arena_bytes", schedule.arena_bytes);
  report.add("host_bytes", result.host_pool);
  if (schedule.plan.prediction) report.add("predicted_step_seconds", schedule.plan.prediction->step);
  report.add("losses", result.losses);
  fmt::print("{}", report.json());
}

/// What the device's memory went to, and whether steps took more of it.
std::string memory_text(const DeviceMemory& first, const DeviceMemory& last, Bytes arena, std::int64_t steps) {
  const auto taken = [](const DeviceMemory& memory) { return memory.total - memory.free; };
  const Bytes beside = taken(last) - last.before - arena, grown = taken(last) - taken(first);
  return fmt::format("{} of {}: arena {}, libraries {}, before the start {}; {}", to_text(taken(last)),
                     to_text(last.total), to_text(arena), to_text(std::max(beside, Bytes{0})), to_text(last.before),
                     grown.value == 0 ? fmt::format("the same over {} steps", steps)
                                      : fmt::format("{} {} over {} steps", to_text(Bytes{std::abs(grown.value)}),
                                                    grown.value > 0 ? "more" : "less", steps));
}

}  // namespace

ExitCode run_execute(const ExecuteOptions& options) {
  const Ranks ranks;
  for (const std::optional<std::string>* file : {&options.save, &options.timeline}) {
    if (!ranks.is_first()) break;
    if (*file) require_writable(**file);
  }
  const ScheduleFile file = load_schedule(options.file);
  const Schedule& schedule = file.schedule;
  TrainRequest request = request_of(options, file);
  request.communicator = ranks.communicator();
  // A plan names the GPU that was profiled; ranks have one each.
  const std::string& planned = schedule.plan.platform.device;
  const bool one_each = ranks.communicator() != nullptr && planned.starts_with("cuda");
  const std::string any = says_tf32(planned) ? "cuda:tf32" : "cuda";
  const std::unique_ptr<Device> device = ranks.make_device(options.device.value_or(one_each ? any : planned));
  require_room(device->properties(), file.trace, schedule);
  const StopOnSignals signals;
  request.stop = &signals.asked();
  ProgressLine line;
  Seconds spent;
  std::int64_t done = 0;
  std::optional<DeviceMemory> first_memory, last_memory;  // after the first and the last step of this run
  request.progress = [&](const StepReport& report) {
    if (!ranks.is_first()) return;
    last_memory = device->memory();
    if (!first_memory) first_memory = last_memory;
    spent += report.seconds;
    ++done;
    const double left = spent.value / static_cast<double>(done) * static_cast<double>(report.steps - report.step);
    line.show(fmt::format("execute: step {} of {}, loss {:.6g}, {} a step, {:.0f} s left", report.step, report.steps,
                          report.loss, to_text(report.seconds), left));
    if (!options.json) {
      line.clear();
      fmt::print("  step {:>6}  loss {:<14}  {}\n", report.step, report.loss, to_text(report.seconds));
      std::fflush(stdout);
    }
  };
  const TrainResult result = train(*device, request);
  line.clear();
  if (!ranks.is_first()) return ExitCode::yes;
  if (const std::string warning = other_all_reduce(file.trace, schedule.plan, *device); !warning.empty())
    fmt::print(stderr, "spillway: {}\n", warning);
  if (result.timeline) write_file_atomically(*options.timeline, timeline_text(*result.timeline));

  const double step = result.step_seconds.empty() ? 0 : median(result.step_seconds).value;
  if (options.json) {
    print_json(result, schedule, step);
    return ExitCode::yes;
  }
  if (result.first_step >= options.steps) {
    fmt::print("  nothing to do: the checkpoint already has {} steps; ask for more with --steps\n", result.first_step);
    return ExitCode::yes;
  }
  std::vector<std::pair<std::string, std::string>> facts{
      {"steps", fmt::format("{}{}", result.completed,
                            result.stopped ? fmt::format(" of {}: stopped as asked", options.steps) : "")},
      {"step", fmt::format("{} (median)", to_text(Seconds{step}))}};
  if (schedule.plan.prediction && step > 0) {
    facts.emplace_back("predicted", fmt::format("{} ({})", to_text(schedule.plan.prediction->step),
                                                percent(schedule.plan.prediction->step.value / step - 1)));
  }
  facts.emplace_back("arena", to_text(schedule.arena_bytes));
  facts.emplace_back("host pool", to_text(result.host_pool));
  if (last_memory)
    facts.emplace_back("device memory", memory_text(*first_memory, *last_memory, schedule.arena_bytes, done));
  if (result.issue == Issue::graph) facts.emplace_back("steps ran", "as one graph");
  for (const auto& fact : device->facts()) facts.push_back(fact);
  if (options.save) facts.emplace_back("weights", *options.save);
  if (options.checkpoint) facts.emplace_back("checkpoint", *options.checkpoint);
  if (result.timeline) {
    facts.emplace_back("timeline", *options.timeline + " (open it at ui.perfetto.dev)");
    facts.emplace_back(
        "tracing",
        fmt::format("{}: {} for the step in the timeline{}", percent(result.traced_step->value / step - 1),
                    to_text(*result.traced_step), result.issue == Issue::graph ? ", which was enqueued" : ""));
  }
  print_facts(facts);
  return ExitCode::yes;
}

}  // namespace spillway
