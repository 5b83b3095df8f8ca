#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/sweep_point.h"

namespace spillway {

// A sweep's points as text. Numbers have as many digits as it takes to read the same number back. Requires everywhere:
// the points have answers.

/// One JSON array, an object for each point on a line of its own: for `--json`.
[[nodiscard]] std::string points_json(std::span<const SweepPoint> points);

/// A heading and one row for each point, as RFC 4180 has it but with plain line ends. What a point lacks is an empty
/// cell.
[[nodiscard]] std::string points_csv(std::span<const SweepPoint> points);

/// One JSON object on one line, with its line end.
[[nodiscard]] std::string point_line(const SweepPoint& point);
/// Points from such lines. `file` and `first_line` are what complaints say: `FILE: line 7: /batch: found ...`.
/// Throws Error (exit 2).
[[nodiscard]] std::vector<SweepPoint> points_from_lines(const std::string& lines, const std::string& file,
                                                        std::size_t first_line = 1);

}  // namespace spillway
