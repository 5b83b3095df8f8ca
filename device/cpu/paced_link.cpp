#include "device/cpu/paced_link.h"

#include <algorithm>

#include "core/error.h"

namespace spillway {

void PacedLink::begin(Direction direction, Seconds time, double bytes) {
  advance_to(time);
  Way& way = ways_[static_cast<std::size_t>(direction)];
  SPILLWAY_CHECK(!way.active, "a copy is under way in this direction");
  way = {.active = true, .bytes = bytes, .through = 0, .rate = 0, .ended = way.ended};
  share();
}

void PacedLink::advance_to(Seconds time) {
  while (time > time_) {
    // Up to the next end of a copy the rates stay as they are.
    Seconds until = time;
    for (const Direction direction : {Direction::in, Direction::out}) {
      if (active(direction)) until = std::min(until, time_of(direction, of(direction).bytes));
    }
    bool ended = false;
    for (Way& way : ways_) {
      if (!way.active) continue;
      if (time_ + Seconds{(way.bytes - way.through) / way.rate} <= until) {
        way.through = way.bytes;
        way.ended = until;
        way.active = false;
        ended = true;
      } else {
        way.through += way.rate * (until - time_).value;
      }
    }
    time_ = until;
    if (ended) {
      share();
    }
  }
}

Seconds PacedLink::time_of(Direction direction, double bytes) const {
  const Way& way = of(direction);
  return time_ + Seconds{std::max(0.0, bytes - way.through) / way.rate};
}

void PacedLink::share() {
  auto& [in, out] = ways_;
  in.rate = std::min(rates_.in, rates_.both);
  out.rate = std::min(rates_.out, rates_.both);
  if (!in.active || !out.active || in.rate + out.rate <= rates_.both) return;
  // Max-min: who wants less than half gets what it wants, the other one the rest.
  const double half = rates_.both / 2;
  if (in.rate <= half) {
    out.rate = rates_.both - in.rate;
  } else if (out.rate <= half) {
    in.rate = rates_.both - out.rate;
  } else {
    in.rate = out.rate = half;
  }
}

}  // namespace spillway
