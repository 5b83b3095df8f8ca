#include "profiler/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "cli/commands.h"
#include "cli/device_view.h"
#include "cli/output.h"
#include "cli/ranks.h"
#include "core/io/atomic_file.h"
#include "core/io/files.h"
#include "device/spec.h"
#include "models/models.h"
#include "profiler/all_reduce_timer.h"
#include "profiler/machine.h"

namespace spillway {
namespace {

/// `1,2,4`
std::vector<std::int64_t> parse_batches(const std::string& text) {
  std::vector<std::int64_t> batches;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (true) {
    std::int64_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 1 || value > 1'000'000 || (next != end && *next != ',')) {
      throw input_error(
          fmt::format("--batch: found '{}', expected numbers from 1 on with commas between them: 1,2,4", text));
    }
    batches.push_back(value);
    if (next == end) return batches;
    at = next + 1;
  }
}

std::optional<Layout> parse_layout(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  for (const Layout layout : {Layout::channels_last, Layout::channels_first}) {
    if (*text == to_text(layout)) return layout;
  }
  throw input_error(fmt::format("--layout: found '{}', expected channels_last or channels_first", *text));
}

std::string ranks_text(const Trace& trace) {
  if (trace.all_reduces.empty()) return "1; for more: mpirun -n N spillway profile";
  const AllReduceCurve& curve = trace.all_reduces.back();
  return fmt::format("{}, all-reduce of {} in {}", curve.ranks, to_text(curve.points.back().bytes),
                     to_text(curve.points.back().seconds));
}

std::string link_text(const HostLink& link) {
  return fmt::format("in {}, out {}, start {}", to_text(link.in.value), to_text(link.out.value), to_text(link.start));
}

/// `--tf32` is short for a setting of the device.
std::string device_of(const ProfileOptions& options) {
  if (!options.tf32) return options.device;
  DeviceSpec spec = parse_device(options.device);
  if (spec.backend != "cuda") {
    throw input_error(fmt::format(
        "profile: --tf32: found --device {}, expected cuda: only a GPU's tensor cores round to TF32", options.device));
  }
  spec.tf32 = true;
  return to_text(spec);
}

ExitCode profile_machine(const ProfileOptions& options) {
  if (!options.model.empty() || !options.set.empty() || options.optimizer || options.batch || options.layout ||
      options.tf32) {
    throw input_error(
        "profile: --machine measures no model; leave MODEL, --set, --batch, --optimizer, --layout and --tf32 out");
  }
  const Ranks ranks;
  if (ranks.is_first()) require_writable(options.output);
  const std::unique_ptr<Device> device = ranks.make_device(options.device);
  ProgressLine line;
  line.show("profile: copies");
  if (ranks.communicator()) ranks.communicator()->barrier();
  Platform machine = measure_machine(*device);
  if (ranks.communicator()) {
    machine = with_ranks(std::move(machine), time_all_reduces(*device, *ranks.communicator(), [&](Bytes size) {
                           line.show(fmt::format("profile: all-reduce of {}", to_text(size)));
                         }));
  }
  line.clear();
  if (!ranks.is_first()) return ExitCode::yes;
  write_file_atomically(options.output, platform_text(machine));
  fmt::print("{}: {}\n", options.output, machine.name);
  Facts facts{{"host link", link_text(machine.host_link)}};
  if (machine.gpu_links)
    facts.emplace_back(
        "ranks", fmt::format("{}, {} between them, start {}", machine.ranks(), to_text(machine.gpu_links->rate->value),
                             to_text(machine.gpu_links->start)));
  std::ranges::copy(device->facts(), std::back_inserter(facts));
  facts.emplace_back("next", fmt::format("spillway tune TRACE --platform {} -o PLAN", options.output));
  print_facts(facts);
  return ExitCode::yes;
}

}  // namespace

ExitCode run_profile(const ProfileOptions& options, const std::string& command_line) {
  if (options.machine) return profile_machine(options);
  if (options.model.empty()) {
    throw input_error(
        "profile: found no MODEL, expected one of 'spillway list models', or --machine to measure only the machine");
  }
  ProfileRequest request;
  request.batches = parse_batches(options.batch.value_or("1"));
  request.graph = make_model(options.model, parse_settings(options.set), options.optimizer);
  request.layout = parse_layout(options.layout);
  request.command = command_line;
  const std::string wanted = device_of(options);
  // Ranks that will run together are profiled together: they share the machine's memory and cores then too.
  const Ranks ranks;
  if (ranks.is_first()) require_writable(options.output);
  const std::unique_ptr<Device> device = ranks.make_device(wanted);
  ProgressLine line;
  request.progress = [&](const ProfileProgress& progress) {
    line.show(fmt::format("profile: {}op {} of {}, {:.0f} s, '{}' at batch {}", progress.trial ? "kernels of " : "",
                          progress.op + 1, progress.count, progress.elapsed.value, progress.name, progress.batch));
  };
  request.warn = [&](const std::string& warning) {
    line.clear();
    if (ranks.is_first()) fmt::print(stderr, "spillway: {}\n", warning);  // whose trace is written
  };
  if (ranks.communicator()) ranks.communicator()->barrier();
  Trace trace = profile(*device, request);
  if (ranks.communicator()) {
    trace.all_reduces.push_back(time_all_reduces(*device, *ranks.communicator(), [&](Bytes size) {
      line.show(fmt::format("profile: all-reduce of {}", to_text(size)));
    }));
  }
  line.clear();
  if (!ranks.is_first()) return ExitCode::yes;
  write_file_atomically(options.output, trace_text(trace));

  fmt::print("{}: {} ops on {}\n", options.output, trace.graph.ops.size(), trace.machine.name);
  std::vector<std::vector<std::string>> rows;
  for (const BatchCosts& costs : trace.batches) {
    Seconds sum;
    Seconds while_copying;
    for (const OpId op : trace.graph.ops.ids()) {
      sum += cost(costs, op).seconds;
      while_copying += cost(costs, op).seconds_while_copying;
    }
    rows.push_back({std::to_string(costs.batch), std::to_string(costs.kernels.size()), to_text(sum),
                    percent(while_copying / sum - 1), in_place_text(trace, costs.batch)});
  }
  print_table({"batch", "distinct kernels", "sum of ops", "while copying", "in one go"}, rows);
  Facts facts{{"host link", link_text(trace.machine.host_link)}, {"ranks", ranks_text(trace)}};
  std::ranges::copy(device_view(trace), std::back_inserter(facts));
  std::ranges::copy(device->facts(), std::back_inserter(facts));
  facts.emplace_back("next", fmt::format("spillway tune {} --capacity 60% -o PLAN", options.output));
  print_facts(facts);
  return ExitCode::yes;
}

}  // namespace spillway
