#include "compile/stays.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"

namespace spillway {
namespace {

/// The decision for a gap in positions that count on beyond the step's end.
struct Leave {
  std::size_t release, begin;
  SwapMode mode;
};

class LifeOfBuffer {
 public:
  LifeOfBuffer(const Graph& graph, BufferId buffer, const std::vector<Use>& uses,
               const std::map<Position, const Swap*>& swaps, Position arrival, std::size_t positions)
      : buffer_(graph.buffers[buffer]), uses_(uses), swaps_(swaps), arrival_(arrival), positions_(positions) {}

  Life live() {
    const bool lasting = is_lasting(buffer_.role);
    if (uses_.empty()) {  // a lasting buffer that no op touches stays on the host
      life_.host_valid_at_start = life_.needs_slot = lasting;
      return std::move(life_);
    }
    const std::optional<Leave> wrap = lasting ? wrap_leave() : std::nullopt;
    host_valid_ = buffer_.role == Role::input || (lasting && valid_at_start(wrap));
    life_.host_valid_at_start = host_valid_;
    begin_step(wrap);
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      if (i > 0) cross_gap(uses_[i - 1], uses_[i]);
      use(uses_[i]);
    }
    end_step(wrap);
    for (const Stay& stay : life_.stays) life_.needs_slot |= !stay.ins.empty() || !stay.outs.empty();
    if (lasting && !life_.resident_at_start) life_.needs_slot = true;
    return std::move(life_);
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw input_error(fmt::format("swap of '{}': {}", buffer_.name, why));
  }

  [[nodiscard]] const Swap* decision(Position after) const {
    const auto found = swaps_.find(after);
    return found == swaps_.end() ? nullptr : found->second;
  }

  /// Requires: release and begin are positions of the step.
  [[nodiscard]] std::optional<Leave> wrap_leave() const {
    const Swap* swap = decision(uses_.back().position);
    if (!swap) return std::nullopt;
    const std::size_t last = uses_.back().position.index(), first = uses_.front().position.index();
    if (uses_.front().fresh()) refuse("its value isn't needed across the step's end");
    const std::size_t release =
        swap->release.index() >= last ? swap->release.index() : swap->release.index() + positions_;
    const std::size_t begin = swap->begin.index() > release ? swap->begin.index() : swap->begin.index() + positions_;
    if (begin <= release || begin > first + positions_)
      refuse("release and begin must lie in this order inside its gap");
    return Leave{.release = release, .begin = begin, .mode = swap->mode};
  }

  /// Whether the host's copy is valid when a step starts, which is when a step ends.
  [[nodiscard]] bool valid_at_start(const std::optional<Leave>& wrap) const {
    bool valid = true;  // never written: as set up
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      if (uses_[i].writes) valid = false;
      const bool last = i + 1 == uses_.size();
      if (!last && decision(uses_[i].position) && !uses_[i + 1].fresh()) valid = true;
      if (last && wrap && wrap->release < positions_) valid = true;
    }
    return valid;
  }

  Stay& open(std::size_t first) {
    Stay stay;
    stay.first = Position(first);
    life_.stays.push_back(std::move(stay));
    return life_.stays.back();
  }

  void come_in(std::size_t begin, SwapMode mode, std::size_t next_use) {
    open(begin).ins.push_back({.position = Position(begin), .mode = mode, .next_use = next_use});
  }

  void leave(std::size_t release, SwapMode mode, std::size_t next_use) {
    Stay& stay = life_.stays.back();
    stay.last = Position(release);
    if (host_valid_) return;
    stay.outs.push_back({.position = Position(release), .mode = mode, .next_use = next_use});
    host_valid_ = true;
  }

  void begin_step(const std::optional<Leave>& wrap) {
    const Use& first = uses_.front();
    if (buffer_.role == Role::input) {
      const Swap* swap = decision(Position{});
      const std::size_t begin = (swap ? swap->begin : arrival_).index();
      if (begin > first.position.index()) refuse("an input must begin before its first use");
      come_in(begin, swap ? swap->mode : SwapMode::prefetch, first.position.index());
    } else if (is_lasting(buffer_.role)) {
      if (wrap && wrap->release < positions_ && wrap->begin >= positions_) {  // away while the step changes
        come_in(wrap->begin - positions_, wrap->mode, first.position.index());
        return;
      }
      life_.resident_at_start = true;
      open(0).wraps = true;
      if (wrap && wrap->release >= positions_) {  // leaves only after the step's start
        leave(wrap->release - positions_, wrap->mode, first.position.index());
        come_in(wrap->begin - positions_, wrap->mode, first.position.index());
      }
    } else {
      open(first.position.index());
    }
  }

  void cross_gap(const Use& before, const Use& next) {
    const Swap* swap = decision(before.position);
    if (next.fresh()) {  // the old value is dead
      if (swap) refuse(fmt::format("its value isn't needed after position {}", before.position.value));
      life_.stays.back().last = before.position;
      open(next.position.index());
      host_valid_ = false;
      return;
    }
    if (!swap) return;
    if (swap->release < before.position || swap->begin <= swap->release || next.position < swap->begin) {
      refuse("release and begin must lie in this order inside its gap");
    }
    leave(swap->release.index(), swap->mode, next.position.index());
    come_in(swap->begin.index(), swap->mode, next.position.index());
  }

  void use(const Use& use) {
    life_.stays.back().uses.push_back(use);
    if (use.writes) host_valid_ = false;
  }

  void end_step(const std::optional<Leave>& wrap) {
    const Position last = uses_.back().position;
    if (buffer_.role == Role::loss) {
      const Swap* swap = decision(last);
      const std::size_t release = swap ? swap->release.index() : last.index();
      if (release < last.index()) refuse("a loss must be released after its last use");
      leave(release, swap ? swap->mode : SwapMode::prefetch, 2 * positions_);
    } else if (!is_lasting(buffer_.role)) {
      life_.stays.back().last = last;
    } else if (wrap && wrap->release < positions_) {
      leave(wrap->release, wrap->mode, uses_.front().position.index() + positions_);
      if (wrap->begin < positions_) {  // and back before the step's end
        come_in(wrap->begin, wrap->mode, uses_.front().position.index() + positions_);
        join_with_first();
      }
    } else if (life_.resident_at_start) {
      join_with_first();
    }
  }

  /// The stay at the step's end is the one at its start: one arc, one offset.
  void join_with_first() {
    life_.wrapping = 0;
    Stay& start = life_.stays.front();
    if (life_.stays.size() == 1) {
      start.first = Position(std::size_t{0});
      start.last = Position(positions_ - 1);
      return;
    }
    Stay end = std::move(life_.stays.back());
    life_.stays.pop_back();
    start.first = end.first;
    start.uses.insert(start.uses.end(), end.uses.begin(), end.uses.end());
    start.ins = std::move(end.ins);
  }

  const Buffer& buffer_;
  const std::vector<Use>& uses_;
  const std::map<Position, const Swap*>& swaps_;
  Position arrival_;
  std::size_t positions_;
  bool host_valid_ = false;
  Life life_;
};

}  // namespace

Life live(const Graph& graph, BufferId buffer, const std::vector<Use>& uses,
          const std::map<Position, const Swap*>& swaps, Position arrival, std::size_t positions) {
  return LifeOfBuffer(graph, buffer, uses, swaps, arrival, positions).live();
}

}  // namespace spillway
