#include "cli/chart.h"

#include <fmt/format.h>

#include <algorithm>

namespace spillway {
namespace {

constexpr std::size_t kColumns = 58, kRows = 12;

}  // namespace

std::string bytes_chart(const std::vector<Bytes>& values, Bytes line, const std::string& line_label,
                        const std::string& axis) {
  if (values.empty()) return "";
  const std::size_t columns = std::min(kColumns, values.size());
  std::vector<Bytes> heights(columns);
  for (std::size_t i = 0; i < values.size(); ++i) {
    Bytes& height = heights[i * columns / values.size()];
    height = std::max(height, values[i]);
  }
  const Bytes top = std::max(line, *std::ranges::max_element(heights));
  const auto row_of = [&](Bytes bytes) {
    return static_cast<double>(bytes.value) / static_cast<double>(std::max<std::int64_t>(top.value, 1)) * kRows;
  };
  std::string text;
  for (std::size_t row = kRows; row > 0; --row) {
    const double level = static_cast<double>(row);
    const bool has_line = row_of(line) > level - 1 && row_of(line) <= level;
    std::string label;
    if (row == kRows) label = to_text(top);
    if (has_line) label = to_text(line);
    text += fmt::format("{:>9} |", label);
    std::string cells;
    for (const Bytes height : heights) cells += row_of(height) >= level - 0.5 ? '#' : has_line ? '-' : ' ';
    if (!has_line) cells.erase(cells.find_last_not_of(' ') + 1);
    text += cells + (has_line ? " " + line_label : "") + "\n";
  }
  text += fmt::format("{:>9} +{}\n{:>11}{}\n", "0", std::string(columns, '-'), "", axis);
  return text;
}

}  // namespace spillway
