#include "core/compare.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "cli/commands.h"
#include "cli/output.h"
#include "core/io/files.h"
#include "core/io/report.h"

namespace spillway {
namespace {

constexpr std::size_t kOpsShown = 10;

double parse_tolerance(const std::string& text) {
  double percent = 0;
  const bool sign = text.ends_with('%');
  const char* const end = text.data() + text.size() - (sign ? 1 : 0);
  const auto [next, error] = std::from_chars(text.data(), end, percent);
  if (error != std::errc() || next != end || !(percent >= 0) || !sign) {
    throw input_error(fmt::format("--tolerance: found '{}', expected a percentage such as 5%", text));
  }
  return percent / 100;
}

std::vector<std::string> row(const Difference& difference) {
  return {shortened(difference.name, 40), to_text(difference.first), to_text(difference.second),
          difference.second.value > 0 ? percent(difference.error()) : "-"};
}

std::vector<Report> reports(const std::vector<Difference>& differences) {
  std::vector<Report> all;
  for (const Difference& difference : differences) {
    Report& report = all.emplace_back();
    report.add("name", difference.name);
    report.add("first_seconds", difference.first);
    report.add("second_seconds", difference.second);
  }
  return all;
}

std::string label(const Timeline& timeline) {
  return timeline.origin == Timeline::Origin::predicted ? "predicted" : "measured";
}

}  // namespace

ExitCode run_compare(const CompareOptions& options) {
  const std::optional<double> tolerance =
      options.tolerance ? std::optional(parse_tolerance(*options.tolerance)) : std::nullopt;
  const Timeline first = read_timeline(options.first), second = read_timeline(options.second);
  const Comparison comparison = compare(first, second);
  if (options.json) {
    Report report;
    report.add("first_step_seconds", comparison.step.first);
    report.add("second_step_seconds", comparison.step.second);
    report.add("step_error", comparison.step.error());
    report.add("first_stall_seconds", comparison.stall.first);
    report.add("second_stall_seconds", comparison.stall.second);
    report.add("streams", reports(comparison.busy));
    report.add("kinds", reports(comparison.kinds));
    report.add("ops", reports(comparison.ops));
    fmt::print("{}", report.json());
  } else {
    fmt::print("{}\n", first.title);
    std::vector<std::vector<std::string>> rows{row(comparison.step), row(comparison.stall)};
    for (const Difference& stream : comparison.busy) rows.push_back(row(stream));
    const std::string a = label(first), b = label(second) + (first.origin == second.origin ? " (2)" : "");
    print_table({"whole step, busy streams", a, b, "error"}, rows);
    rows.clear();
    for (const Difference& kind : comparison.kinds) rows.push_back(row(kind));
    fmt::print("\n");
    print_table({"by kind", a, b, "error"}, rows);
    rows.clear();
    for (std::size_t i = 0; i < std::min(kOpsShown, comparison.ops.size()); ++i) rows.push_back(row(comparison.ops[i]));
    fmt::print("\n");
    print_table({"what differs most", a, b, "error"}, rows);
  }
  if (!tolerance) return ExitCode::yes;
  const bool within = std::abs(comparison.step.error()) <= *tolerance;
  if (!options.json) {
    fmt::print("\nthe steps differ by {}: {} {}\n", percent(comparison.step.error()), within ? "within" : "more than",
               *options.tolerance);
  }
  return within ? ExitCode::yes : ExitCode::no;
}

}  // namespace spillway
