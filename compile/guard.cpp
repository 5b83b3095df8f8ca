#include "compile/guard.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"

namespace spillway {
namespace {

using Waits = IdVector<InstructionId, std::vector<InstructionId>>;

/// Readers wait for the last writer, writers for the readers since then and for the writer.
class DataOrder {
 public:
  explicit DataOrder(Waits& waits) : waits_(waits) {}
  void access(const ResidencyAccess& access) {
    std::vector<InstructionId>& waits = waits_[access.instruction];
    if (access.writes) waits.insert(waits.end(), readers_.begin(), readers_.end());
    if (writer_.valid()) waits.push_back(writer_);
    if (access.writes) {
      writer_ = access.instruction;
      readers_.clear();
    } else {
      readers_.push_back(access.instruction);
    }
  }

 private:
  Waits& waits_;
  InstructionId writer_;
  std::vector<InstructionId> readers_;
};

/// A part of a residency without a hole in positions.
struct Segment {
  std::size_t first, last;
  Bytes from, to;
  InstructionId first_user;
  std::vector<InstructionId> last_users;  // one per stream
};

std::vector<Segment> segments(const UnplacedSchedule& unplaced) {
  const Schedule& schedule = unplaced.schedule;
  const std::size_t n = positions(schedule);
  std::vector<Segment> all;
  for (const ResidencyId id : schedule.residencies.ids()) {
    const Residency& residency = schedule.residencies[id];
    const auto add = [&](std::size_t first, std::size_t last) {
      Segment segment{.first = first,
                      .last = last,
                      .from = residency.offset,
                      .to = residency.offset + residency.bytes,
                      .first_user = {},
                      .last_users = {}};
      std::map<StreamId, InstructionId> last_on;
      for (const ResidencyAccess& access : unplaced.accesses[id]) {
        const Instruction& instruction = schedule.instructions[access.instruction];
        if (instruction.position.index() < first || instruction.position.index() > last) continue;
        if (!segment.first_user.valid()) segment.first_user = access.instruction;
        last_on[instruction.stream] = access.instruction;
      }
      for (const auto& [stream, instruction] : last_on) segment.last_users.push_back(instruction);
      all.push_back(std::move(segment));
    };
    if (residency.first <= residency.last) {
      add(residency.first.index(), residency.last.index());
    } else {
      add(0, residency.last.index());
      add(residency.first.index(), n - 1);
    }
  }
  std::ranges::stable_sort(all, {}, &Segment::first);
  return all;
}

/// Which segment had each byte last.
class Owners {
 public:
  /// Calls `visit(segment index)` for each owner of [from, to) and makes `next` the owner.
  template <class Visit>
  void take(Bytes from, Bytes to, std::size_t next, Visit&& visit) {
    split(from);
    split(to);
    const auto first = owner_from_.lower_bound(from), last = owner_from_.lower_bound(to);
    for (auto part = first; part != last; ++part) {
      if (part->second != kNobody) visit(part->second);
    }
    owner_from_.erase(first, last);
    owner_from_.emplace(from, next);
  }

 private:
  static constexpr std::size_t kNobody = ~std::size_t{0};
  void split(Bytes at) {
    auto next = owner_from_.upper_bound(at);
    const std::size_t owner = next == owner_from_.begin() ? kNobody : std::prev(next)->second;
    owner_from_.emplace(at, owner);
  }
  std::map<Bytes, std::size_t> owner_from_;
};

void guard_addresses(const UnplacedSchedule& unplaced, Waits& waits) {
  const std::vector<Segment> all = segments(unplaced);
  Owners owners;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Segment& segment = all[i];
    owners.take(segment.from, segment.to, i, [&](std::size_t previous) {
      SPILLWAY_CHECK(all[previous].last < segment.first, "two residencies at one position share an address");
      if (!segment.first_user.valid()) return;
      for (const InstructionId user : all[previous].last_users) waits[segment.first_user].push_back(user);
    });
  }
}

void guard_host_slots(const Schedule& schedule, Waits& waits) {
  std::map<BufferId, DataOrder> slots;
  for (const InstructionId id : schedule.instructions.ids()) {
    const Instruction& instruction = schedule.instructions[id];
    if (runs_op(instruction.kind)) continue;
    const bool out = instruction.kind == InstructionKind::swap_out;
    slots.try_emplace(instruction.buffer, waits)
        .first->second.access({.instruction = id, .reads = !out, .writes = out});
  }
}

/// Keeps of each instruction's waits those that no other wait and no stream order implies, by vector clocks.
void drop_implied(Schedule& schedule, const Waits& waits) {
  using Clock = std::vector<std::uint32_t>;  // per stream: 1 + the highest instruction known to have completed
  IdVector<InstructionId, Clock> clocks(schedule.instructions.size(), Clock(schedule.streams.size(), 0));
  IdVector<StreamId, InstructionId> last_on(schedule.streams.size());
  const auto merge = [](Clock& into, const Clock& from) {
    for (std::size_t s = 0; s < into.size(); ++s) into[s] = std::max(into[s], from[s]);
  };
  for (const InstructionId id : schedule.instructions.ids()) {
    Instruction& instruction = schedule.instructions[id];
    Clock& clock = clocks[id];
    if (last_on[instruction.stream].valid()) merge(clock, clocks[last_on[instruction.stream]]);
    std::vector<InstructionId> wanted = waits[id];
    std::ranges::sort(wanted, std::greater<>{});
    for (const InstructionId wait : wanted) {
      SPILLWAY_CHECK(wait < id, "a wait must go upward in the total order");
      if (clock[schedule.instructions[wait].stream.index()] > wait.value) continue;
      merge(clock, clocks[wait]);
      instruction.waits.push_back(wait);
    }
    std::ranges::reverse(instruction.waits);
    clock[instruction.stream.index()] = id.value + 1;
    last_on[instruction.stream] = id;
  }
}

}  // namespace

Schedule guard(UnplacedSchedule unplaced) {
  Waits waits = unplaced.asked_waits;
  for (const std::vector<ResidencyAccess>& accesses : unplaced.accesses) {
    DataOrder data(waits);
    for (const ResidencyAccess& access : accesses) data.access(access);
  }
  guard_addresses(unplaced, waits);
  guard_host_slots(unplaced.schedule, waits);
  drop_implied(unplaced.schedule, waits);
  return std::move(unplaced.schedule);
}

}  // namespace spillway
