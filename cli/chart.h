#pragma once

#include <string>
#include <vector>

#include "core/units.h"

namespace spillway {

/// Bytes over something, as columns of '#', at most 80 characters wide: `values` left to right, `line` a dashed level
/// above them. Each column shows the largest of the values it stands for.
[[nodiscard]] std::string bytes_chart(const std::vector<Bytes>& values, Bytes line, const std::string& line_label,
                                      const std::string& axis);

}  // namespace spillway
