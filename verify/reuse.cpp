#include "verify/reuse.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "verify/structure.h"

namespace spillway {
namespace {

/// A residency between the step's start and its end: first <= last. One that spans the step's end and is gone in
/// between makes two.
struct Stay {
  ResidencyId residency;
  std::size_t first = 0, last = 0;
  std::vector<InstructionId> first_users, last_users;  ///< one per stream that uses it

  [[nodiscard]] bool is_used() const { return !first_users.empty(); }
};

void add_user(const Schedule& schedule, Stay& stay, InstructionId user) {
  const auto stream_of = [&](InstructionId id) { return schedule.instructions[id].stream; };
  const auto same = std::ranges::find(stay.last_users, stream_of(user), stream_of);
  if (same != stay.last_users.end()) {
    *same = user;
  } else {
    stay.first_users.push_back(user);
    stay.last_users.push_back(user);
  }
}

std::vector<Stay> stays(const Schedule& schedule, const IdVector<ResidencyId, std::vector<Access>>& accesses) {
  std::size_t end = 0;
  for (const Instruction& instruction : schedule.instructions) end = std::max(end, instruction.position.index() + 1);
  std::vector<Stay> result;
  for (const ResidencyId id : schedule.residencies.ids()) {
    const Residency& residency = schedule.residencies[id];
    if (residency.bytes.value == 0) continue;
    const std::size_t begin = result.size();
    if (!residency.wraps) {
      result.push_back({id, residency.first.index(), residency.last.index(), {}, {}});
    } else if (spans_whole_step(residency)) {
      result.push_back({id, 0, end - 1, {}, {}});
    } else {
      result.push_back({id, 0, residency.last.index(), {}, {}});
      result.push_back({id, residency.first.index(), end - 1, {}, {}});
    }
    for (const Access& access : accesses[id]) {
      Stay& first = result[begin];
      const bool in_first = schedule.instructions[access.instruction].position.index() <= first.last;
      add_user(schedule, in_first ? first : result.back(), access.instruction);
    }
  }
  std::ranges::stable_sort(result, {}, &Stay::first);
  return result;
}

/// Who was the last resident of each byte. Segments are disjoint; a newcomer cuts those it covers.
class LastResidents {
 public:
  /// Calls `handover(previous)` once for each stay that last had any of the bytes, then makes `stay` their resident.
  template <class Handover>
  void move_in(const Schedule& schedule, const Stay& stay, Handover handover) {
    const Residency& residency = schedule.residencies[stay.residency];
    const std::int64_t begin = residency.offset.value, end = begin + residency.bytes.value;
    cut(begin);
    cut(end);
    std::vector<const Stay*> previous;
    const auto from = segments_.lower_bound(begin), to = segments_.lower_bound(end);
    for (auto segment = from; segment != to; ++segment)
      if (std::ranges::find(previous, segment->second.resident) == previous.end())
        previous.push_back(segment->second.resident);
    segments_.erase(from, to);
    segments_.emplace(begin, Segment{end, &stay});
    for (const Stay* const one : previous) handover(*one);
  }

 private:
  struct Segment {
    std::int64_t end = 0;
    const Stay* resident = nullptr;
  };

  void cut(std::int64_t address) {
    const auto behind = segments_.upper_bound(address);
    if (behind == segments_.begin()) return;
    const auto at = std::prev(behind);
    if (at->first == address || at->second.end <= address) return;
    segments_.emplace_hint(behind, address, at->second);
    at->second.end = address;
  }

  std::map<std::int64_t, Segment> segments_;  ///< by first byte
};

}  // namespace

void check_reuse(const Schedule& schedule, const IdVector<ResidencyId, std::vector<Access>>& accesses,
                 const HappensBefore& happens_before, Findings& report) {
  const std::vector<Stay> all = stays(schedule, accesses);

  LastResidents by_position;
  for (const Stay& stay : all)
    by_position.move_in(schedule, stay, [&](const Stay& previous) {
      if (previous.last < stay.first) return;
      report.add(
          Rule::residencies_do_not_overlap,
          fmt::format("{}, there at {}..{}, and {}, there at {}..{}, share bytes", report.name(previous.residency),
                      previous.first, previous.last, report.name(stay.residency), stay.first, stay.last));
    });

  // Stays that nobody uses are left out, since they would hide whom their successor must wait for: "ordered after the
  // last resident" reaches all earlier ones by transitivity only through users.
  LastResidents by_users;
  for (const Stay& stay : all) {
    if (!stay.is_used()) continue;
    by_users.move_in(schedule, stay, [&](const Stay& previous) {
      // Pairs that overlap by position have been reported; the two ends of one residency are rule 33's.
      if (previous.last >= stay.first || previous.residency == stay.residency) return;
      for (const InstructionId earlier : previous.last_users)
        for (const InstructionId later : stay.first_users)
          if (!happens_before(earlier, later))
            report.add(Rule::last_users_end_before_reuse,
                       fmt::format("{} may start to use {} before {} has left {}", report.name(later),
                                   report.name(stay.residency), report.name(earlier), report.name(previous.residency)));
    });
  }
}

}  // namespace spillway
