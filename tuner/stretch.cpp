#include "tuner/stretch.h"

#include <algorithm>
#include <set>
#include <utility>

namespace spillway {
namespace {

class Stretcher {
 public:
  Stretcher(const Problem& problem, const std::vector<std::size_t>& chosen, const StretchLimits& limits)
      : problem_(problem), limits_(limits), aways_(shortest_stays(problem, chosen)), live_(problem.kept_bytes()) {
    for (const Away& away : aways_) {
      returns_.emplace(at(away).gap.buffer, at(away).gap.before);
      if (at(away).can_be_away) add_bytes(live_, away.release + 1, away.begin - 1, Bytes{} - at(away).bytes);
    }
  }

  std::optional<std::vector<Away>> run() {
    if (std::ranges::any_of(live_, [&](Bytes bytes) { return bytes > limits_.budget; })) return std::nullopt;
    if (limits_.linger != Linger::none) linger();
    begin_early();
    std::erase_if(aways_, [&](const Away& away) {
      return at(away).can_be_away && at(away).asked != Asked::swap && away.begin == away.release + 1;
    });
    return std::move(aways_);
  }

 private:
  [[nodiscard]] const Stretch& at(const Away& away) const { return problem_.stretches()[away.stretch]; }

  /// Whether one more stay of this size fits at the position; if so, it is there from now on.
  bool occupy(std::int64_t position, Bytes size) {
    Bytes& live = live_[static_cast<std::size_t>(position % problem_.positions())];
    if (live + size > limits_.budget) return false;
    live += size;
    return true;
  }

  /// The time from which on the copy that leaving costs may run: the end of the last write. Absent: it costs none, the
  /// host's copy is valid.
  [[nodiscard]] std::optional<Seconds> copy_ready(const Stretch& stretch) const {
    const BufferId buffer = stretch.gap.buffer;
    if (problem_.graph().buffers[buffer].role == Role::input) return std::nullopt;
    const std::vector<Use>& uses = problem_.uses()[buffer];
    const auto start =
        static_cast<std::size_t>(std::ranges::find(uses, stretch.gap.after, &Use::position) - uses.begin());
    // Back in time to the last write or the last return, for what outlives the step through the step before too.
    for (std::size_t back = 0; back < uses.size(); ++back) {
      if (back > start && !stretch.lasting) break;
      const Use& use = uses[(start + uses.size() - back) % uses.size()];
      const bool is_in_this_step = back <= start;
      if (use.writes) {
        return is_in_this_step ? problem_.end_time(static_cast<std::int64_t>(use.position.index())) : Seconds{};
      }
      if (returns_.contains({buffer, use.position})) return std::nullopt;
    }
    return std::nullopt;
  }

  void linger() {
    std::vector<Away*> order;
    for (Away& away : aways_) {
      if (at(away).can_be_away && at(away).was_there()) order.push_back(&away);
    }
    std::ranges::stable_sort(order, {}, [&](const Away* away) { return at(*away).after; });
    const HostLink& link = problem_.request().platform.host_link;
    Seconds link_free;
    for (Away* away : order) {
      const Stretch& stretch = at(*away);
      std::int64_t until = stretch.before - 1;
      if (limits_.linger == Linger::copied) {
        const std::optional<Seconds> ready = copy_ready(stretch);
        if (!ready) continue;
        link_free = std::max(link_free, *ready) + link.start + stretch.bytes / link.out.value;
        // The step's end waits for its copies anyhow: lingering beyond it gains nothing.
        if (stretch.gap.wraps) until = std::min(until, problem_.positions() - 1);
      }
      while (away->release < until && away->release + 1 < away->begin) {
        if (limits_.linger == Linger::copied && problem_.end_time(away->release) >= link_free) break;
        if (!occupy(away->release + 1, stretch.bytes)) break;
        ++away->release;
      }
    }
  }

  void begin_early() {
    std::vector<Away*> order;
    for (Away& away : aways_) {
      if (at(away).can_be_away && at(away).comes_back()) order.push_back(&away);
    }
    const auto reader = [&](const Away* away) { return at(*away).gap.before; };
    std::ranges::stable_sort(order, {}, reader);
    std::int64_t earliest =
        -problem_.positions();  // what begins before position 0 does so at the end of the step before
    for (Away* away : order) {
      const Stretch& stretch = at(*away);
      const std::int64_t shift = stretch.gap.wraps ? problem_.positions() : 0;
      const std::int64_t ahead = std::min(limits_.ahead, stretch.distance());
      const std::int64_t least = std::max({away->release + 1, stretch.before - ahead, earliest + shift});
      while (away->begin > least && occupy(away->begin - 1, stretch.bytes)) --away->begin;
      if (away->begin > away->release + 1) earliest = std::max(earliest, away->begin - shift);
    }
  }

  const Problem& problem_;
  const StretchLimits& limits_;
  std::vector<Away> aways_;
  std::set<std::pair<BufferId, Position>> returns_;  ///< uses that a swap-in comes before
  std::vector<Bytes> live_;
};

}  // namespace

std::vector<Away> shortest_stays(const Problem& problem, const std::vector<std::size_t>& chosen) {
  std::vector<Away> aways;
  for (const std::size_t index : chosen) {
    const Stretch& stretch = problem.stretches()[index];
    aways.push_back({.stretch = index, .release = stretch.after, .begin = stretch.before});
  }
  return aways;
}

std::optional<std::vector<Away>> stretch_stays(const Problem& problem, const std::vector<std::size_t>& chosen,
                                               const StretchLimits& limits) {
  return Stretcher(problem, chosen, limits).run();
}

}  // namespace spillway
