#pragma once

#include <string>
#include <vector>

#include "core/timeline.h"

namespace spillway {

/// One quantity of two timelines. Errors are signed: first over second, minus 1, so a prediction that is too short is
/// negative.
struct Difference {
  std::string name;
  Seconds first, second;
  [[nodiscard]] double error() const { return second.value > 0 ? first / second - 1 : 0; }
  [[nodiscard]] Seconds seconds() const { return first - second; }
};

/// Two timelines of one schedule, side by side. Where one of them has more GPUs, those that both have.
struct Comparison {
  Difference step, stall;
  std::vector<Difference> busy;   ///< per stream: the sum of its events
  std::vector<Difference> kinds;  ///< per kind of event, by absolute difference
  std::vector<Difference> ops;    ///< per event, by absolute difference
};

/// Throws Error (exit 2) when they aren't of one schedule: other streams or other events.
[[nodiscard]] Comparison compare(const Timeline& first, const Timeline& second);

}  // namespace spillway
