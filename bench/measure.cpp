#include "bench/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "compile/lower.h"
#include "core/statistics.h"
#include "device/spec.h"
#include "executor/train.h"
#include "models/models.h"
#include "profiler/profile.h"

namespace spillway {

BenchNetwork bench_unet3d() {
  return {"unet3d", {"size=64x80x64", "channels=1", "classes=3"}, 1};
}
BenchNetwork bench_resnet50() {
  return {"resnet", {"depth=50", "side=128", "classes=100"}, 4};
}

Trace bench_profile(const BenchNetwork& network) {
  ProfileRequest request;
  request.graph = make_model(network.name, parse_settings(network.settings));
  request.batches = {network.batch};
  request.command = "bench";
  fmt::print(stderr, "profiling {} ...\n", network.name);
  return profile(*make_device(parse_device("cpu")), request);
}

Platform with_link(const Trace& trace, BytesPerSecond rate) {
  Platform platform = trace.machine;
  DeviceSpec spec = parse_device(trace.machine.device);
  spec.in = spec.out = rate;
  platform.device = to_text(spec);
  platform.name = fmt::format("{} as {}", trace.machine.name, platform.device);
  platform.host_link.in = platform.host_link.out = {.value = rate, .source = "set"};
  return platform;
}

std::optional<Tuned> tuned_at(const Trace& trace, const Platform& platform, const std::string& policy, double share) {
  TuneRequest request;
  request.trace = &trace;
  request.platform = platform;
  request.batch = trace.batches.front().batch;
  request.policy = policy;
  const Bytes all = footprint(trace, request.batch);
  request.capacity = {static_cast<std::int64_t>(share * static_cast<double>(all.value))};
  std::variant<Tuned, NothingFits> found = tune(request);
  if (Tuned* tuned = std::get_if<Tuned>(&found)) return std::move(*tuned);
  return std::nullopt;
}

MeasuredSteps measure_steps(const Trace& trace, const Schedule& schedule, int steps) {
  const std::unique_ptr<Device> device = make_device(parse_device(schedule.plan.platform.device));
  TrainRequest request;
  request.trace = &trace;
  request.schedule = &schedule;
  request.steps = steps + 1;
  request.timeline = true;
  const TrainResult result = train(*device, request);
  std::vector<double> seconds;
  for (const Seconds step : result.step_seconds) seconds.push_back(step.value);
  seconds.erase(seconds.begin());
  return {.median = {median(seconds)}, .spread = spread(seconds), .stall = result.timeline->stall};
}

std::string machine_line(const Trace& trace) {
  const Provenance& from = trace.provenance;
  return fmt::format("{}, {} {}, {} compute thread(s), {}", from.machine, from.library, from.instruction_set,
                     from.threads, from.date);
}

}  // namespace spillway
