#include "sim/fair_share.h"

#include <limits>

#include "core/error.h"

namespace spillway {

std::vector<double> fair_rates(const std::vector<double>& capacities, const std::vector<std::vector<Usage>>& flows,
                               const std::vector<std::uint32_t>& active) {
  std::vector<double> rates(flows.size(), 0), left = capacities, load(capacities.size(), 0);
  for (const std::uint32_t flow : active) {
    SPILLWAY_CHECK(!flows[flow].empty(), "a flow passes at least one resource");
    for (const Usage& usage : flows[flow]) load[usage.resource] += usage.count;
  }
  std::vector<std::uint32_t> rising = active, still;
  double rate = 0;
  while (!rising.empty()) {
    // The resource that fills first decides how far all rise.
    double level = std::numeric_limits<double>::infinity();
    for (const std::uint32_t flow : rising) {
      for (const Usage& usage : flows[flow]) level = std::min(level, left[usage.resource] / load[usage.resource]);
    }
    rate = level;
    const auto is_full = [&](const Usage& usage) {
      return left[usage.resource] <= level * load[usage.resource] * (1 + 1e-12);
    };
    still.clear();
    std::vector<std::uint32_t> stopped;
    for (const std::uint32_t flow : rising) {
      bool full = false;
      for (const Usage& usage : flows[flow]) full |= is_full(usage);
      (full ? stopped : still).push_back(flow);
    }
    for (const std::uint32_t flow : stopped) {
      rates[flow] = rate;
      for (const Usage& usage : flows[flow]) {
        left[usage.resource] -= rate * usage.count;
        load[usage.resource] -= usage.count;
      }
    }
    rising.swap(still);
  }
  return rates;
}

}  // namespace spillway
