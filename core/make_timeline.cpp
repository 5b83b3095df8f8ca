#include "core/make_timeline.h"

#include <algorithm>

namespace spillway {
namespace {

std::string kind_of_event(const Graph& graph, const Instruction& instruction) {
  switch (instruction.kind) {
    case InstructionKind::compute: return std::string(kind_of(graph.ops[instruction.op].attributes));
    case InstructionKind::swap_out: return "swap_out";
    case InstructionKind::swap_in: return "swap_in";
    case InstructionKind::all_reduce: return "all_reduce";
    case InstructionKind::host_update: return "host_update";
  }
  return {};
}

std::vector<ResidentBytes> resident_bytes(const Schedule& schedule, const IdVector<InstructionId, Span>& spans,
                                          Seconds step) {
  struct Stay {
    Seconds from, to;
    bool used = false;
  };
  IdVector<ResidencyId, Stay> stays(schedule.residencies.size());
  for (const InstructionId id : spans.ids()) {
    const auto touch = [&](ResidencyId residency) {
      if (!residency.valid()) return;
      Stay& stay = stays[residency];
      stay.from = stay.used ? std::min(stay.from, spans[id].start) : spans[id].start;
      stay.to = stay.used ? std::max(stay.to, spans[id].end) : spans[id].end;
      stay.used = true;
    };
    const Instruction& instruction = schedule.instructions[id];
    std::ranges::for_each(instruction.inputs, touch);
    std::ranges::for_each(instruction.outputs, touch);
    touch(instruction.workspace);
    touch(instruction.residency);
  }
  std::vector<std::pair<Seconds, Bytes>> changes;
  Bytes resident;
  for (const ResidencyId id : schedule.residencies.ids()) {
    const Residency& residency = schedule.residencies[id];
    const Stay& stay = stays[id];
    if (!stay.used) continue;
    const Bytes gone = Bytes{} - residency.bytes;
    if (!residency.wraps) {
      changes.emplace_back(stay.from, residency.bytes);
      changes.emplace_back(stay.to, gone);
    } else if (residency.first <= residency.last) {
      resident += residency.bytes;
    } else {  // there at both ends, gone between its early and its late users
      Seconds early, late = step;
      for (const InstructionId instruction : spans.ids()) {
        const Instruction& user = schedule.instructions[instruction];
        const auto uses = [&](ResidencyId used) { return used == id; };
        if (!uses(user.residency) && !std::ranges::any_of(user.inputs, uses) &&
            !std::ranges::any_of(user.outputs, uses))
          continue;
        if (user.position <= residency.last) {
          early = std::max(early, spans[instruction].end);
        } else {
          late = std::min(late, spans[instruction].start);
        }
      }
      resident += residency.bytes;
      changes.emplace_back(early, gone);
      changes.emplace_back(late, residency.bytes);
    }
  }
  std::ranges::sort(changes);  // of equal times what leaves comes first
  std::vector<ResidentBytes> points{{.time = {}, .bytes = resident}};
  for (const auto& [time, change] : changes) {
    resident += change;
    if (points.back().time == time) {
      points.back().bytes = resident;
    } else {
      points.push_back({.time = time, .bytes = resident});
    }
  }
  return points;
}

}  // namespace

Bytes bytes_over_links(const Graph& graph, const Instruction& instruction, std::int64_t batch) {
  if (instruction.kind == InstructionKind::compute) return {};
  if (instruction.kind != InstructionKind::all_reduce) return bytes(graph.buffers[instruction.buffer], batch);
  Bytes sum;
  for (const TensorId output : graph.ops[instruction.op].outputs) sum += bytes(graph.tensors[output], batch);
  return sum;
}

Timeline make_timeline(const Graph& graph, const Schedule& schedule, const IdVector<InstructionId, Span>& spans,
                       Seconds step, Timeline::Origin origin, const std::string& title) {
  Timeline timeline{.origin = origin,
                    .title = title,
                    .streams = schedule.streams,
                    .events = {},
                    .resident = {},
                    .step = step,
                    .stall = {}};
  Seconds compute;
  for (const InstructionId id : spans.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    const bool is_compute = instruction.kind == InstructionKind::compute;
    if (is_compute) compute += spans[id].end - spans[id].start;
    timeline.events.push_back({.instruction = id,
                               .stream = instruction.stream,
                               .name = name_of(graph, instruction),
                               .kind = kind_of_event(graph, instruction),
                               .start = spans[id].start,
                               .end = spans[id].end,
                               .bytes = bytes_over_links(graph, instruction, schedule.plan.batch)});
  }
  timeline.stall = step - compute;
  timeline.resident = resident_bytes(schedule, spans, step);
  return timeline;
}

}  // namespace spillway
