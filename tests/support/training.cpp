#include "tests/support/training.h"

#include "compile/lower.h"
#include "device/spec.h"
#include "executor/train.h"
#include "models/models.h"
#include "profiler/profile.h"
#include "tests/support/unflushed.h"
#include "tuner/tune.h"

namespace spillway {
namespace {

constexpr Bytes kLittleMemory = 100_MiB;  // for any tiny network, and copies of 4 MiB

TuneRequest request_for(const Trace& trace, const std::string& policy, Bytes capacity) {
  TuneRequest request;
  request.trace = &trace;
  request.platform = trace.machine;
  request.batch = trace.batches.front().batch;
  request.capacity = capacity;
  request.policy = policy;
  request.evaluations = 60;
  return request;
}

}  // namespace

Trace profile_tiny(const TinyModel& model, const std::string& device) {
  return profile_tiny(model, *make_device(parse_device(device)));
}

Trace profile_tiny(const TinyModel& model, Device& device) {
  ProfileRequest request;
  request.graph = make_model(model.name, parse_settings(model.settings));
  request.batches = {model.batch};
  request.layout = model.layout;
  request.candidates = 1;  // which one a noisy host finds fastest must not decide a test
  request.command = "test";
  request.repeats = {.least = 1, .least_of_long = 1, .long_op = {0.1}, .enough = {0}, .most = 1};
  Unflushed quick(device, kLittleMemory);
  Trace trace = profile(quick, request);
  trace.machine.device_memory = device.properties().memory;
  return trace;
}

std::optional<Schedule> schedule_at(const Trace& trace, const std::string& policy, double share) {
  const Bytes all = footprint(trace, trace.batches.front().batch);
  const auto capacity = static_cast<std::int64_t>(share * static_cast<double>(all.value));
  std::variant<Tuned, NothingFits> found = tune(request_for(trace, policy, {capacity}));
  if (Tuned* tuned = std::get_if<Tuned>(&found)) return std::move(tuned->schedule);
  return std::nullopt;
}

std::optional<Schedule> smallest_schedule(const Trace& trace, const std::string& policy) {
  std::variant<Tuned, NothingFits> found = tune(request_for(trace, policy, {64}));
  const std::optional<Bytes> smallest = std::get<NothingFits>(found).smallest_capacity;
  if (!smallest) return std::nullopt;
  return std::get<Tuned>(tune(request_for(trace, policy, *smallest))).schedule;
}

std::vector<float> losses_of(const Trace& trace, const Schedule& schedule, std::int64_t steps, const Wrap& wrap,
                             Issue issue) {
  const std::unique_ptr<Device> device = make_device(parse_device(schedule.plan.platform.device));
  const std::unique_ptr<Device> wrapper = wrap ? wrap(*device) : nullptr;
  TrainRequest request;
  request.trace = &trace;
  request.schedule = &schedule;
  request.steps = steps;
  request.issue = issue;
  return train(wrapper ? *wrapper : *device, request).losses;
}

}  // namespace spillway
