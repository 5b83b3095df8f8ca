#include "verify/conflicts.h"

#include <fmt/format.h>

#include <algorithm>

namespace spillway {
namespace {

/// Calls `unordered(earlier, later)` for the conflicting pairs that nothing orders. Conflicts that follow from others
/// by transitivity aren't looked at: only the last write counts, and the readers since then.
template <class Unordered>
void for_each_race(const Schedule& schedule, const std::vector<Access>& accesses, const HappensBefore& happens_before,
                   Unordered unordered) {
  InstructionId last_write;
  std::vector<InstructionId> readers;  // since the last write, the last one of each stream
  const auto stream_of = [&](InstructionId id) { return schedule.instructions[id].stream; };
  for (const Access& access : accesses) {
    const InstructionId now = access.instruction;
    if (last_write.valid() && !happens_before(last_write, now)) unordered(last_write, now);
    if (access.writes) {
      for (const InstructionId reader : readers)
        if (!happens_before(reader, now)) unordered(reader, now);
      readers.clear();
      last_write = now;
    } else {
      const auto same = std::ranges::find(readers, stream_of(now), stream_of);
      if (same != readers.end())
        *same = now;
      else
        readers.push_back(now);
    }
  }
}

/// Computes are ordered by their one stream, so at least one of the two is a copy.
Rule rule_within_residency(InstructionKind earlier, InstructionKind later) {
  if (later == InstructionKind::swap_out) return Rule::write_ends_before_swap_out;
  if (earlier == InstructionKind::swap_out) return Rule::swap_out_ends_before_write;
  if (later == InstructionKind::swap_in) return Rule::users_end_before_swap_in;
  return Rule::swap_in_ends_before_read;
}

}  // namespace

void check_conflicts(const Schedule& schedule, const IdVector<ResidencyId, std::vector<Access>>& residencies,
                     const IdVector<BufferId, std::vector<Access>>& host_slots, const HappensBefore& happens_before,
                     Findings& report) {
  const auto kind_of = [&](InstructionId id) { return schedule.instructions[id].kind; };
  for (const ResidencyId id : residencies.ids())
    for_each_race(schedule, residencies[id], happens_before, [&](InstructionId earlier, InstructionId later) {
      report.add(rule_within_residency(kind_of(earlier), kind_of(later)),
                 fmt::format("{} may start before {} has completed; both use {}", report.name(later),
                             report.name(earlier), report.name(id)));
    });
  for (const BufferId id : host_slots.ids())
    for_each_race(schedule, host_slots[id], happens_before, [&](InstructionId earlier, InstructionId later) {
      const Rule rule = kind_of(later) == InstructionKind::swap_in ? Rule::swap_out_ends_before_swap_in
                                                                   : Rule::slot_users_end_before_swap_out;
      report.add(rule, fmt::format("{} may start before {} has completed; both use the host slot of {}",
                                   report.name(later), report.name(earlier), report.name(id)));
    });
}

}  // namespace spillway
