#pragma once

#include <string>
#include <vector>

namespace spillway {

/// What an axis measures; its ticks get the unit that suits the values.
enum class PlotUnit { bytes, seconds };

struct PlotAxis {
  std::string title;  ///< without unit, which is added: `capacity (GiB)`
  PlotUnit unit = PlotUnit::bytes;
};

struct PlotPoint {
  double x = 0, y = 0;  ///< both above 0, in bytes or seconds
};

/// Points that belong together, ascending in x.
struct PlotLine {
  std::string label;
  std::vector<PlotPoint> points;
};

/// Lines as an SVG picture with axes, ticks, grid and a legend at the right; lines differ in colour, marker and dashes.
/// An axis whose values span more than a factor of 20 is logarithmic, and says so; else the vertical one begins at 0.
/// Lines without points are left out. Requires: at least one point.
[[nodiscard]] std::string svg_plot(const std::string& title, const PlotAxis& x, const PlotAxis& y,
                                   const std::vector<PlotLine>& lines);

}  // namespace spillway
