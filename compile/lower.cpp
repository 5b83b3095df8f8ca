#include "compile/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "compile/guard.h"
#include "compile/order.h"
#include "compile/place.h"
#include "core/host_staging.h"
#include "core/live_bytes.h"

namespace spillway {
namespace {

constexpr int kThoroughRounds = 60, kQuickRounds = 4;

/// The compute instruction at whose position most bytes are live.
std::string fullest_op(const Graph& graph, const Schedule& schedule) {
  const std::vector<Bytes> live = live_bytes(schedule);
  const auto fullest = static_cast<std::size_t>(std::ranges::max_element(live) - live.begin());
  for (const Instruction& instruction : schedule.instructions) {
    if (runs_op(instruction.kind) && instruction.position.index() == fullest) return name_of(graph, instruction);
  }
  return "";
}

Placement place(const Schedule& schedule, Bytes capacity, Effort effort) {
  const auto attempt = [&](const PlaceEffort& place_effort) {
    return place(schedule.residencies, positions(schedule), schedule.peak_live_bytes, place_effort);
  };
  if (effort == Effort::smallest) return attempt({.rounds = kThoroughRounds, .enough = {}});
  Placement quick = attempt({.rounds = kQuickRounds, .enough = capacity});
  if (effort == Effort::quick || quick.arena_bytes <= capacity) return quick;
  return attempt({.rounds = kThoroughRounds, .enough = {}});
}

}  // namespace

std::string to_text(const Shortfall& shortfall) {
  return fmt::format("the {} needs {}, it may have {}: short by {}{}", shortfall.host ? "host pool" : "arena",
                     to_text(shortfall.needed), to_text(shortfall.capacity),
                     to_text(shortfall.needed - shortfall.capacity),
                     shortfall.at.empty() ? "" : fmt::format(" at op '{}'", shortfall.at));
}

std::variant<Schedule, Shortfall> lower(const Trace& trace, const Plan& plan, Effort effort) {
  UnplacedSchedule unplaced = order(trace, plan, alignment_for(plan.platform));
  Schedule& schedule = unplaced.schedule;
  const HostStaging staging = host_staging(trace, schedule);
  schedule.host_bytes += staging.transfers + staging.all_reduces;
  if (plan.host_capacity && schedule.host_bytes > *plan.host_capacity) {
    return Shortfall{.needed = schedule.host_bytes,
                     .peak_live = schedule.peak_live_bytes,
                     .capacity = *plan.host_capacity,
                     .at = "",
                     .host = true};
  }
  const auto shortfall = [&](Bytes needed) {
    return Shortfall{.needed = needed,
                     .peak_live = schedule.peak_live_bytes,
                     .capacity = plan.capacity,
                     .at = effort != Effort::quick ? fullest_op(trace.graph, schedule) : ""};
  };
  if (schedule.peak_live_bytes > plan.capacity) return shortfall(schedule.peak_live_bytes);
  const Placement placement = place(schedule, plan.capacity, effort);
  if (placement.arena_bytes > plan.capacity) return shortfall(placement.arena_bytes);
  for (const ResidencyId id : schedule.residencies.ids()) schedule.residencies[id].offset = placement.offsets[id];
  schedule.arena_bytes = placement.arena_bytes;
  return guard(std::move(unplaced));
}

Bytes footprint(const Trace& trace, std::int64_t batch, const Platform& platform) {
  Plan plan;
  plan.platform = platform;
  plan.batch = batch;
  plan.capacity = {std::numeric_limits<std::int64_t>::max()};
  return std::get<Schedule>(lower(trace, plan, Effort::smallest)).arena_bytes;
}

Bytes alignment_for(const Platform& platform) {
  return {platform.device.starts_with("cuda") ? 256 : 64};
}

}  // namespace spillway
