#include "core/clock_reading.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace spillway {

std::string to_text(const ClockReading& reading) {
  std::vector<std::string> parts;
  if (reading.sm_megahertz) parts.push_back(fmt::format("SM {} MHz", *reading.sm_megahertz));
  if (reading.memory_megahertz) parts.push_back(fmt::format("memory {} MHz", *reading.memory_megahertz));
  if (reading.power_limit_watts) parts.push_back(fmt::format("power limit {:.0f} W", *reading.power_limit_watts));
  if (reading.temperature_celsius) parts.push_back(fmt::format("{} degrees C", *reading.temperature_celsius));
  if (!reading.reasons.empty()) parts.push_back(fmt::format("held down by {}", fmt::join(reading.reasons, " and ")));
  return fmt::format("{}", fmt::join(parts, ", "));
}

}  // namespace spillway
