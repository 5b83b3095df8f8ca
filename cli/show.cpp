#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>

#include "cli/chart.h"
#include "cli/commands.h"
#include "cli/device_view.h"
#include "cli/draw_platform.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/presets.h"
#include "compile/lower.h"
#include "core/live_bytes.h"
#include "core/op_description.h"

namespace spillway {
namespace {

constexpr std::size_t kRowsShown = 12;

void show_platform(const Platform& platform) {
  const auto rate = [](const Rate& r) { return fmt::format("{} ({})", to_text(r.value), r.source); };
  std::vector<std::pair<std::string, std::string>> facts{{"platform", platform.name},
                                                         {"device", platform.device},
                                                         {"device memory", to_text(platform.device_memory)},
                                                         {"host memory", to_text(platform.host_memory)},
                                                         {"link in", rate(platform.host_link.in)},
                                                         {"link out", rate(platform.host_link.out)}};
  if (platform.host_link.both) facts.emplace_back("both ways together", rate(*platform.host_link.both));
  facts.emplace_back("a copy's start", to_text(platform.host_link.start));
  print_facts(facts);
}

void show_trace(const std::string& path) {
  const Trace trace = read_trace(path);
  const BatchCosts& costs = trace.batches.front();
  fmt::print("trace of '{}': {} ops, {} buffers\n", trace.graph.name, trace.graph.ops.size(),
             trace.graph.buffers.size());
  Facts facts{{"recorded", trace.provenance.date},
              {"by", trace.provenance.command},
              {"kernels", fmt::format("{}, {}, {} thread(s)", trace.provenance.library,
                                      trace.provenance.instruction_set, trace.provenance.threads)},
              {"process memory", to_text(trace.process_bytes)}};
  std::ranges::copy(device_view(trace), std::back_inserter(facts));
  print_facts(facts);
  show_platform(trace.machine);
  std::vector<std::vector<std::string>> rows;
  for (const BatchCosts& batch : trace.batches) {
    Seconds sum;
    double flops_sum = 0;
    for (const OpId op : trace.graph.ops.ids()) {
      sum += cost(batch, op).seconds;
      flops_sum += flops(trace.graph.ops[op], batch.batch);
    }
    rows.push_back({std::to_string(batch.batch), to_text(sum), fmt::format("{:.1f}", flops_sum / sum.value / 1e9),
                    in_place_text(trace, batch.batch), to_text(footprint(trace, batch.batch))});
  }
  fmt::print("\n");
  print_table({"batch", "sum of ops", "GFLOP/s", "in one go", "footprint"}, rows);

  struct Kind {
    int count = 0;
    Seconds seconds;
    double flops = 0;
    Bytes moved;
  };
  std::map<std::string, Kind> kinds;
  Seconds sum;
  for (const OpId op : trace.graph.ops.ids()) {
    Kind& kind = kinds[std::string(kind_of(trace.graph.ops[op].attributes))];
    ++kind.count;
    kind.seconds += cost(costs, op).seconds;
    kind.flops += flops(trace.graph.ops[op], costs.batch);
    kind.moved += bytes_moved(trace.graph, op, costs.batch);
    sum += cost(costs, op).seconds;
  }
  std::vector<std::pair<std::string, Kind>> sorted(kinds.begin(), kinds.end());
  std::ranges::stable_sort(sorted, std::greater<>{}, [](const auto& item) { return item.second.seconds; });
  rows.clear();
  for (const auto& [name, kind] : sorted) {
    if (rows.size() == kRowsShown) break;
    rows.push_back({name, std::to_string(kind.count), to_text(kind.seconds),
                    fmt::format("{:.1f} %", 100 * (kind.seconds / sum)),
                    fmt::format("{:.1f}", kind.flops / kind.seconds.value / 1e9),
                    fmt::format("{:.1f}", static_cast<double>(kind.moved.value) / kind.seconds.value / 1e9)});
  }
  fmt::print("\n");
  print_table({fmt::format("ops at batch {}", costs.batch), "count", "time", "share", "GFLOP/s", "GB/s"}, rows);
  print_device_kernels(costs);
}

void show_schedule(const std::string& path) {
  const ScheduleFile file = load_schedule(path);
  const Schedule& schedule = file.schedule;
  const Plan& plan = schedule.plan;
  const Graph& graph = file.trace.graph;
  fmt::print("plan for '{}' at batch {}{} by '{}'\n", graph.name, batch_text(plan),
             plan.platform.ranks() > 1 ? fmt::format(" on {} ranks", plan.platform.ranks()) : "", plan.policy);
  std::vector<std::pair<std::string, std::string>> facts{
      {"platform", plan.platform.name},
      {"capacity", to_text(plan.capacity)},
      {"arena", fmt::format("{}, of which fragmentation {}", to_text(schedule.arena_bytes),
                            to_text(schedule.arena_bytes - schedule.peak_live_bytes))},
      {"host pool", to_text(schedule.host_bytes)}};
  if (plan.prediction) {
    facts.emplace_back("predicted step",
                       fmt::format("{}, stall {}", to_text(plan.prediction->step), to_text(plan.prediction->stall)));
    facts.emplace_back("footprint", to_text(plan.prediction->footprint));
  }
  print_facts(facts);
  fmt::print("\nbytes in the arena, op by op\n{}",
             bytes_chart(live_bytes(schedule), plan.capacity, "capacity", "first op of the step -> last"));

  struct Moved {
    Bytes bytes;
    int copies = 0;
  };
  std::map<BufferId, Moved> moved;
  for (const Instruction& instruction : schedule.instructions) {
    if (runs_op(instruction.kind)) continue;
    Moved& item = moved[instruction.buffer];
    item.bytes += bytes(graph.buffers[instruction.buffer], plan.batch);
    ++item.copies;
  }
  std::vector<std::pair<BufferId, Moved>> sorted(moved.begin(), moved.end());
  std::ranges::stable_sort(sorted, std::greater<>{}, [](const auto& item) { return item.second.bytes; });
  std::vector<std::vector<std::string>> rows;
  for (const auto& [buffer, item] : sorted) {
    if (rows.size() == kRowsShown) break;
    rows.push_back({shortened(graph.buffers[buffer].name, 44), to_text(bytes(graph.buffers[buffer], plan.batch)),
                    std::to_string(item.copies)});
  }
  fmt::print("\n{} buffers cross the link; the largest:\n", sorted.size());
  print_table({"buffer", "size", "copies a step"}, rows);
}

void show_timeline(const std::string& path) {
  const Timeline whole = read_timeline(path);
  const Timeline timeline = first_gpus(whole, 1);
  fmt::print("{} timeline: {}\n", timeline.origin == Timeline::Origin::predicted ? "predicted" : "measured",
             timeline.title);
  Facts facts{{"step", to_text(timeline.step)},
              {"stall", fmt::format("{} ({:.1f} %)", to_text(timeline.stall), 100 * (timeline.stall / timeline.step))}};
  if (gpus_of(whole) > 1) facts.emplace_back("ranks", fmt::format("{}; what follows is rank 0's", gpus_of(whole)));
  print_facts(facts);
  constexpr const char* kNames[] = {"compute", "swap-out", "swap-in", "network", "host"};
  std::vector<std::vector<std::string>> rows;
  for (const StreamId stream : timeline.streams.ids()) {
    Seconds busy;
    Bytes moved;
    int count = 0;
    for (const TimelineEvent& event : timeline.events) {
      if (event.stream != stream) continue;
      busy += event.end - event.start;
      moved += event.bytes;
      ++count;
    }
    rows.push_back({kNames[static_cast<std::size_t>(timeline.streams[stream].role)], std::to_string(count),
                    to_text(busy), fmt::format("{:.1f} %", 100 * (busy / timeline.step)),
                    moved.value > 0 ? to_text(moved) : "-"});
  }
  print_table({"stream", "events", "busy", "of the step", "bytes"}, rows);
  std::vector<Bytes> columns(66);
  Bytes most;
  std::size_t point = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Seconds until = timeline.step * (static_cast<double>(i + 1) / static_cast<double>(columns.size()));
    Bytes largest = point > 0 ? timeline.resident[point - 1].bytes : Bytes{};
    for (; point < timeline.resident.size() && timeline.resident[point].time < until; ++point) {
      largest = std::max(largest, timeline.resident[point].bytes);
    }
    columns[i] = largest;
    most = std::max(most, largest);
  }
  fmt::print("\nbytes in the arena over time\n{}",
             bytes_chart(columns, most, "", fmt::format("0 -> {}", to_text(timeline.step))));
}

std::string file_or_preset(const std::string& name) {
  if (std::filesystem::exists(name)) return name;
  if (const auto preset = preset_file(name)) return preset->string();
  const std::string near = nearest_name(name, preset_names());
  if (near.empty()) return name;
  throw input_error(fmt::format("{}: there is no such file or preset; did you mean the preset '{}'?", name, near));
}

}  // namespace

ExitCode run_show(const ShowOptions& options) {
  const std::string file = file_or_preset(options.file);
  const std::string kind = kind_of_file(file);
  if (kind == "trace") show_trace(file);
  if (kind == "plan" || kind == "schedule") show_schedule(file);
  if (kind == "platform") fmt::print("{}", drawn(read_platform(file)));
  if (kind == "timeline") show_timeline(file);
  return ExitCode::yes;
}

}  // namespace spillway
