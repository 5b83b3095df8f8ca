#include "core/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "core/error.h"

namespace spillway {

double quantile(std::vector<double> values, double part) {
  SPILLWAY_CHECK(!values.empty(), "a quantile of nothing");
  std::ranges::sort(values);
  const double place = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
}

Seconds median(const std::vector<Seconds>& times) {
  std::vector<double> values;
  for (const Seconds time : times) values.push_back(time.value);
  return {median(std::move(values))};
}

double spread(const std::vector<double>& values) {
  const double middle = median(values);
  return middle > 0 ? (quantile(values, 0.75) - quantile(values, 0.25)) / middle : 0;
}

}  // namespace spillway
