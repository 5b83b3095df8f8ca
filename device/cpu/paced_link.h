#pragma once

#include <array>
#include <limits>

#include "core/units.h"
#include "device/cpu/command.h"

namespace spillway {

/// What the link of a machine with a GPU can carry; infinity: as fast as it goes.
struct LinkRates {
  double in = std::numeric_limits<double>::infinity();    ///< bytes per second
  double out = std::numeric_limits<double>::infinity();   ///< bytes per second
  double both = std::numeric_limits<double>::infinity();  ///< bytes per second of the two together
};

/// How far the copies of a fluid link are at a given time: at most one copy each way, each at its own rate; while both
/// run and exceed `both`, they share that max-min fairly. Pure arithmetic; no clock, no threads.
class PacedLink {
 public:
  explicit PacedLink(LinkRates rates) : rates_(rates) {}

  /// The first byte of a copy leaves at `time`, or at the latest time this link was told of if that is later.
  /// Requires: no copy is active that way.
  void begin(Direction direction, Seconds time, double bytes);
  /// Moves to `time`; earlier than before: nothing.
  void advance_to(Seconds time);

  /// Whether a copy is still under way at the time reached.
  [[nodiscard]] bool active(Direction direction) const { return of(direction).active; }
  /// Bytes of the current or last copy that are through at the time reached.
  [[nodiscard]] double through(Direction direction) const { return of(direction).through; }
  /// When that many bytes will be through, if nothing begins or ends meanwhile. Requires: active.
  [[nodiscard]] Seconds time_of(Direction direction, double bytes) const;
  /// When the last copy ended. Requires: one has.
  [[nodiscard]] Seconds ended(Direction direction) const { return of(direction).ended; }

 private:
  struct Way {
    bool active = false;
    double bytes = 0, through = 0, rate = 0;
    Seconds ended;
  };
  [[nodiscard]] const Way& of(Direction direction) const { return ways_[static_cast<std::size_t>(direction)]; }
  void share();

  LinkRates rates_;
  std::array<Way, 2> ways_;
  Seconds time_;
};

}  // namespace spillway
