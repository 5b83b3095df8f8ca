#pragma once

#include <utility>
#include <vector>

#include "core/units.h"

namespace spillway {

/// The value that a share `part` (0 to 1) of the values lies below, interpolated between neighbours; 0.5: the median.
/// Requires: not empty.
[[nodiscard]] double quantile(std::vector<double> values, double part);
[[nodiscard]] inline double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}
[[nodiscard]] Seconds median(const std::vector<Seconds>& times);
/// Interquartile range over the median. Requires: not empty.
[[nodiscard]] double spread(const std::vector<double>& values);

}  // namespace spillway
