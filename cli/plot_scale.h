#pragma once

#include <string>
#include <vector>

#include "cli/plot.h"

namespace spillway {

/// Where values lie along an axis, and its ticks.
class PlotScale {
 public:
  /// `low` and `high`: the least and the greatest value, above 0. `from_zero`: a linear axis begins there.
  PlotScale(const PlotAxis& axis, double low, double high, bool from_zero);

  struct Tick {
    double place;  ///< 0 at the axis's start, 1 at its end
    std::string label;
  };
  [[nodiscard]] const std::vector<Tick>& ticks() const { return ticks_; }
  /// `capacity (GiB)`; `step time (ms, logarithmic)`
  [[nodiscard]] const std::string& title() const { return title_; }
  /// 0 at the axis's start, 1 at its end.
  [[nodiscard]] double place(double value) const;

 private:
  void add_linear_ticks();
  void add_logarithmic_ticks();
  void add_tick(double in_unit);

  double unit_ = 1;  ///< bytes or seconds
  bool logarithmic_ = false;
  double low_ = 0, high_ = 1;  ///< the axis's ends, in its unit
  std::string title_;
  std::vector<Tick> ticks_;
};

}  // namespace spillway
