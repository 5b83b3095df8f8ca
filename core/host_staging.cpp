#include "core/host_staging.h"

#include <algorithm>

namespace spillway {
namespace {

constexpr Bytes kLargestTransfer{16 << 20};

bool adds_up_on_host(const Trace& trace, const Platform& platform) {
  if (!platform.device.starts_with("cuda")) return false;  // a CPU's arena is the host's
  const std::int64_t ranks = platform.ranks();
  const auto same = std::ranges::find(trace.all_reduces, ranks, &AllReduceCurve::ranks);
  if (same != trace.all_reduces.end()) return same->by.empty();
  return std::ranges::all_of(trace.all_reduces, [](const AllReduceCurve& curve) { return curve.by.empty(); });
}

}  // namespace

HostStaging host_staging(const Trace& trace, const Schedule& schedule) {
  const std::int64_t batch = schedule.plan.batch;
  HostStaging staging;
  for (const StartState& state : schedule.start) {
    if (!state.residency.valid()) continue;
    const Bytes all = align_up(bytes(trace.graph.buffers[state.buffer], batch), schedule.alignment);
    staging.transfers = std::max(staging.transfers, std::min(kLargestTransfer, all));
  }
  if (!adds_up_on_host(trace, schedule.plan.platform)) return staging;
  for (const Instruction& instruction : schedule.instructions) {
    if (instruction.kind != InstructionKind::all_reduce) continue;
    Bytes gradients;
    for (const TensorId output : trace.graph.ops[instruction.op].outputs)
      gradients += bytes(trace.graph.tensors[output], batch);
    staging.all_reduces = std::max(staging.all_reduces, gradients);
  }
  return staging;
}

Bytes end_of_slots(const Schedule& schedule) {
  Bytes end;
  for (const HostSlot& slot : schedule.host_slots) end = std::max(end, slot.offset + slot.bytes);
  return align_up(end, schedule.alignment);
}

}  // namespace spillway
