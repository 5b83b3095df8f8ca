#include "cli/room.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <variant>

#include "core/error.h"
#include "tuner/tune.h"

namespace spillway {
namespace {

/// Absent: the policy has none, or the step is one that isn't planned from a trace alone (ranks, micro-batches).
std::optional<Bytes> smallest_capacity(const Trace& trace, const Plan& plan) {
  if (plan.micro_batches != 1 || plan.reduction || plan.platform.ranks() != 1) return std::nullopt;
  TuneRequest request;
  request.trace = &trace;
  request.platform = plan.platform;
  request.batch = plan.batch;
  request.capacity = {1};  // nothing fits, so that the search says what would
  if (std::ranges::count(policies(), plan.policy, &PolicyDescription::name) > 0) request.policy = plan.policy;
  const std::variant<Tuned, NothingFits> found = tune(request);
  const auto* nothing = std::get_if<NothingFits>(&found);
  return nothing != nullptr ? nothing->smallest_capacity : std::nullopt;
}

}  // namespace

void require_room(const DeviceProperties& device, const Trace& trace, const Schedule& schedule) {
  if (schedule.arena_bytes <= device.memory) return;
  const std::optional<Bytes> smallest = smallest_capacity(trace, schedule.plan);
  std::string way_out = fmt::format("run 'spillway tune' again with --capacity {}", device.memory.value);
  if (smallest && *smallest > device.memory) {
    way_out =
        fmt::format("even the smallest capacity that policy {} can do with at batch {} is {}: try a smaller batch",
                    schedule.plan.policy, schedule.plan.batch, to_text(*smallest));
  } else if (smallest) {
    way_out += fmt::format("; policy {} can do with {}", schedule.plan.policy, to_text(*smallest));
  }
  throw machine_error(fmt::format("device {}: the plan's arena takes {}, but {} are free; {}", device.device,
                                  to_text(schedule.arena_bytes), to_text(device.memory), way_out));
}

}  // namespace spillway
