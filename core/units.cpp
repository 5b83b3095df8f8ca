#include "core/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "core/error.h"

namespace spillway {
namespace {

/// Three significant digits, but no exponent.
std::string three_digits(double value) {
  const double size = std::abs(value);
  return fmt::format("{:.{}f}", value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

struct Unit {
  std::string_view suffix;
  double factor;
};

/// A number directly followed by one of `units`; NaN when the text is anything else.
template <std::size_t N>
double parse_with_unit(const std::string& text, const std::array<Unit, N>& units) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nan("");
  std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
  while (!suffix.empty() && suffix.front() == ' ') suffix.remove_prefix(1);
  for (const Unit& unit : units) {
    if (suffix == unit.suffix) return value * unit.factor;
  }
  return std::nan("");
}

constexpr std::array<Unit, 13> kSizes{{{"", 1},
                                       {"B", 1},
                                       {"KiB", 0x1p10},
                                       {"MiB", 0x1p20},
                                       {"GiB", 0x1p30},
                                       {"TiB", 0x1p40},
                                       {"kB", 1e3},
                                       {"KB", 1e3},
                                       {"MB", 1e6},
                                       {"GB", 1e9},
                                       {"TB", 1e12},
                                       {"M", 1e6},
                                       {"G", 1e9}}};
constexpr std::array<Unit, 5> kRates{{{"", 1}, {"B/s", 1}, {"kB/s", 1e3}, {"MB/s", 1e6}, {"GB/s", 1e9}}};
constexpr std::array<Unit, 5> kTimes{{{"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}}};

}  // namespace

std::string to_text(Bytes size) {
  constexpr std::array<const char*, 5> kNames{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(size.value);
  std::size_t unit = 0;
  while (std::abs(value) >= 1023.5 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  if (unit == 0) return fmt::format("{} B", size.value);
  return fmt::format("{} {}", three_digits(value), kNames[unit]);
}

std::string to_text(Seconds time) {
  const double size = std::abs(time.value);
  if (size >= 0.9995) return three_digits(time.value) + " s";
  if (size >= 0.9995e-3) return three_digits(time.value * 1e3) + " ms";
  if (size >= 0.9995e-6 || size == 0) return three_digits(time.value * 1e6) + " us";
  return three_digits(time.value * 1e9) + " ns";
}

std::string to_text(BytesPerSecond rate) {
  return fmt::format("{:.{}f} GB/s", rate.value / 1e9, rate.value >= 9.995e9 ? 1 : 2);
}

Bytes parse_bytes(const std::string& text, const std::string& what) {
  const double value = parse_with_unit(text, kSizes);
  if (!(value >= 1) || value > 9e18) {
    throw input_error(
        fmt::format("{}: found '{}', expected a size above zero such as 12GiB, 640MiB or 12e9", what, text));
  }
  return {static_cast<std::int64_t>(std::floor(value))};
}

BytesPerSecond parse_rate(const std::string& text, const std::string& what) {
  const double value = parse_with_unit(text, kRates);
  if (!(value > 0))
    throw input_error(fmt::format("{}: found '{}', expected a rate above zero such as 0.85GB/s", what, text));
  return {value};
}

Seconds parse_seconds(const std::string& text, const std::string& what) {
  const double value = parse_with_unit(text, kTimes);
  if (!(value >= 0)) throw input_error(fmt::format("{}: found '{}', expected a time such as 10us", what, text));
  return {value};
}

}  // namespace spillway
