#pragma once

#include "verify/findings.h"

namespace spillway {

/// Rules 6 to 17: which instructions there are, on which streams and in which order, and what their operands are.
/// Requires: rules 1 to 5 hold.
void check_structure(const Trace& trace, const Schedule& schedule, Findings& report);

/// Whether `position` lies in the residency's interval; circular when it wraps.
[[nodiscard]] bool covers(const Residency& residency, Position position);

/// Whether a wrapping residency leaves no position free: it never ends.
[[nodiscard]] inline bool spans_whole_step(const Residency& residency) {
  return residency.wraps && residency.last.index() + 1 >= residency.first.index();
}

}  // namespace spillway
