#include "cli/sweep_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "cli/output.h"
#include "cli/plot.h"

namespace spillway {
namespace {

constexpr std::size_t kColumns = 80, kLeastPlatform = 8;

using Row = std::array<std::string, 8>;
const Row kHeadings{"platform", "ranks", "capacity", "batch", "policy", "step", "samples/s", "stall"};
constexpr std::size_t kFirstResult = 5;  // reasons take the room of the columns from here on

/// Long reasons by number, from 1.
class Footnotes {
 public:
  std::string mark(const std::string& reason) {
    const auto found = std::ranges::find(reasons_, reason);
    const auto number = found - reasons_.begin() + 1;
    if (found == reasons_.end()) reasons_.push_back(reason);
    return fmt::format("no [{}]", number);
  }

  /// Wrapped at spaces.
  [[nodiscard]] std::string text() const {
    std::string all;
    for (std::size_t i = 0; i < reasons_.size(); ++i) {
      const std::string start = fmt::format("  [{}]", i + 1);
      std::string line = start;
      for (std::size_t from = 0; from < reasons_[i].size();) {
        const std::size_t to = std::min(reasons_[i].find(' ', from), reasons_[i].size());
        if (line.size() > start.size() && line.size() + 1 + to - from > kColumns) {
          all += line + "\n";
          line = std::string(start.size(), ' ');
        }
        line += " " + reasons_[i].substr(from, to - from);
        from = to + 1;
      }
      all += line + "\n";
    }
    return all;
  }

 private:
  std::vector<std::string> reasons_;
};

/// Ranks that were asked for, also where there is no such machine.
std::string ranks_of(const SweepPoint& point) {
  if (point.answer->ranks > 0) return std::to_string(point.answer->ranks);
  const SweepQuestion& question = point.question;
  return question.gpus ? std::to_string(*question.gpus * question.nodes.value_or(1)) : "-";
}

/// Three digits, but no exponent.
std::string rate_text(double rate) {
  return rate < 1000 ? fmt::format("{:.3g}", rate) : fmt::format("{:.0f}", rate);
}

Row row_of(const SweepPoint& point) {
  const SweepAnswer& answer = *point.answer;
  Row row;
  row[0] = point.question.platform;
  row[1] = ranks_of(point);
  row[2] = answer.capacity.value > 0 ? to_text(answer.capacity)
                                     : (point.question.capacity.empty() ? "-" : point.question.capacity);
  row[3] = std::to_string(point.question.batch);
  row[4] = point.question.policy;
  if (!answer.fits()) return row;
  row[5] = to_text(answer.step);
  row[6] = rate_text(answer.samples_per_second);
  row[7] = fmt::format("{:.1f} %", 100 * (answer.stall / answer.step));
  return row;
}

bool goes_left(std::size_t column) {
  return column == 0 || column == 4;
}

std::string cell(const std::string& text, std::size_t column, std::size_t width) {
  return goes_left(column) ? fmt::format("{:<{}}", text, width) : fmt::format("{:>{}}", text, width);
}

/// What tells this point's line in a plot from others.
std::string line_label(const SweepPoint& point, bool several_batches, bool several_policies) {
  std::string label =
      fmt::format("{}, {} rank{}", point.question.platform, point.answer->ranks, point.answer->ranks == 1 ? "" : "s");
  if (point.question.nodes && *point.question.nodes > 1) label += fmt::format(" on {} nodes", *point.question.nodes);
  if (several_batches) label += fmt::format(", batch {}", point.question.batch);
  if (several_policies) label += ", " + point.question.policy;
  return label;
}

}  // namespace

std::string sweep_table(std::span<const SweepPoint> points) {
  std::vector<Row> rows;
  std::array<std::size_t, kHeadings.size()> widths{};
  for (std::size_t i = 0; i < kHeadings.size(); ++i) widths[i] = kHeadings[i].size();
  for (const SweepPoint& point : points) {
    const Row& row = rows.emplace_back(row_of(point));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::size_t others = 0, results = 0;
  for (std::size_t i = 1; i < widths.size(); ++i) others += 2 + widths[i];
  for (std::size_t i = kFirstResult; i < widths.size(); ++i) results += widths[i] + (i > kFirstResult ? 2 : 0);
  widths[0] = std::clamp<std::size_t>(kColumns > others + 2 ? kColumns - others - 2 : 0, kLeastPlatform,
                                      std::max(widths[0], kLeastPlatform));

  Footnotes footnotes;
  std::string table;
  const auto add = [&](const Row& row, const std::string& reason) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (!reason.empty() && i == kFirstResult) break;
      line += std::string(i == 0 ? 1 : 2, ' ') + cell(i == 0 ? shortened(row[0], widths[0]) : row[i], i, widths[i]);
    }
    if (!reason.empty()) line += "  " + reason;
    line.erase(line.find_last_not_of(' ') + 1);
    table += line + "\n";
  };
  add(kHeadings, "");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const SweepAnswer& answer = *points[i].answer;
    std::string reason = answer.reason;
    if (answer.smallest_capacity) reason = "needs " + to_text(*answer.smallest_capacity);
    if (reason.size() > results) reason = footnotes.mark(reason);
    add(rows[i], reason);
  }
  return table + footnotes.text();
}

std::string sweep_plot(std::span<const SweepPoint> points, const std::string& title) {
  std::set<std::int64_t> batches;
  std::set<std::string> policies;
  for (const SweepPoint& point : points) {
    batches.insert(point.question.batch);
    policies.insert(point.question.policy);
  }
  std::vector<PlotLine> lines;
  for (const SweepPoint& point : points) {
    if (!point.answer->fits()) continue;
    const std::string label = line_label(point, batches.size() > 1, policies.size() > 1);
    auto line = std::ranges::find(lines, label, &PlotLine::label);
    if (line == lines.end()) line = lines.insert(lines.end(), PlotLine{.label = label, .points = {}});
    line->points.push_back({.x = static_cast<double>(point.answer->capacity.value), .y = point.answer->step.value});
  }
  for (PlotLine& line : lines) std::ranges::stable_sort(line.points, {}, &PlotPoint::x);
  return svg_plot(title, {.title = "capacity", .unit = PlotUnit::bytes},
                  {.title = "predicted step time", .unit = PlotUnit::seconds}, lines);
}

}  // namespace spillway
