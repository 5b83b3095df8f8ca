#include "cli/plot_scale.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace spillway {
namespace {

constexpr double kLogarithmicFrom = 20;  // a factor that a linear axis no longer shows well
constexpr double kMargin = 0.06;         // beside the outermost values, as a part of their distance
constexpr double kWantedTicks = 6;

struct Unit {
  double size;
  const char* name;
};
constexpr Unit kBytes[] = {{1, "B"}, {0x1p10, "KiB"}, {0x1p20, "MiB"}, {0x1p30, "GiB"}, {0x1p40, "TiB"}};
constexpr Unit kSeconds[] = {{1e-6, "us"}, {1e-3, "ms"}, {1, "s"}};

/// The largest unit of which there is at least one.
Unit unit_for(PlotUnit kind, double high) {
  const std::span<const Unit> units = kind == PlotUnit::bytes ? std::span<const Unit>(kBytes) : kSeconds;
  Unit chosen = units.front();
  for (const Unit& unit : units) {
    if (high >= unit.size) chosen = unit;
  }
  return chosen;
}

}  // namespace

PlotScale::PlotScale(const PlotAxis& axis, double low, double high, bool from_zero)
    : logarithmic_(high > kLogarithmicFrom * low) {
  const Unit unit = unit_for(axis.unit, high);
  unit_ = unit.size;
  title_ = fmt::format("{} ({}{})", axis.title, unit.name, logarithmic_ ? ", logarithmic" : "");
  low /= unit_;
  high /= unit_;
  if (logarithmic_) {
    const double margin = std::pow(high / low, kMargin);
    low_ = low / margin;
    high_ = high * margin;
    add_logarithmic_ticks();
  } else {
    const double margin = high > low ? kMargin * (high - low) : 0.5 * high;
    low_ = from_zero ? 0 : low - margin;
    high_ = high + (from_zero ? kMargin * high : margin);
    add_linear_ticks();
  }
}

double PlotScale::place(double value) const {
  value /= unit_;
  return logarithmic_ ? std::log(value / low_) / std::log(high_ / low_) : (value - low_) / (high_ - low_);
}

void PlotScale::add_tick(double in_unit) {
  ticks_.push_back({.place = place(in_unit * unit_), .label = fmt::format("{:.6g}", in_unit)});
}

void PlotScale::add_linear_ticks() {
  const double rough = (high_ - low_) / kWantedTicks;
  double step = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {2.0, 2.5, 2.0}) {  // to 2, 5 and 10 of a power of ten
    if (step >= rough) break;
    step *= factor;
  }
  const auto last = static_cast<long>(std::floor(high_ / step));
  for (auto i = static_cast<long>(std::ceil(low_ / step)); i <= last; ++i) add_tick(static_cast<double>(i) * step);
}

void PlotScale::add_logarithmic_ticks() {
  const bool decades_only = std::log10(high_ / low_) > 3;
  for (int power = static_cast<int>(std::floor(std::log10(low_))); power <= std::log10(high_); ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10, power);
      if (value < low_ || value > high_ || (decades_only && factor > 1)) continue;
      add_tick(value);
    }
  }
}

}  // namespace spillway
