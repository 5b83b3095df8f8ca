#pragma once

#include <span>
#include <string>

#include "core/sweep_point.h"

namespace spillway {

// A sweep for people. Requires: all points have answers.

/// A line a point, 80 columns; long reasons are numbered and stand beneath.
[[nodiscard]] std::string sweep_table(std::span<const SweepPoint> points);

/// Step time against capacity as SVG: a line for each platform and number of ranks, and for each batch and policy where
/// there are several. Requires: a point that fits.
[[nodiscard]] std::string sweep_plot(std::span<const SweepPoint> points, const std::string& title);

}  // namespace spillway
