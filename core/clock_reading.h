#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace spillway {

/// What a GPU's clocks were at one moment; empty what it doesn't tell.
struct ClockReading {
  std::optional<std::int64_t> sm_megahertz, memory_megahertz;
  std::optional<double> power_limit_watts;
  std::optional<std::int64_t> temperature_celsius;
  std::vector<std::string> reasons;  ///< why the clocks were held down: "the power cap"; settings and idling too
  bool throttled = false;            ///< one of the reasons is power, heat or the like, which passes or gets worse
  friend bool operator==(const ClockReading&, const ClockReading&) = default;
};

/// "SM 1980 MHz, memory 2619 MHz, power limit 700 W, 41 degrees C, held down by the power cap"; what isn't known
/// is left out, empty if nothing is.
[[nodiscard]] std::string to_text(const ClockReading& reading);

}  // namespace spillway
