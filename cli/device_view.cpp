#include "cli/device_view.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "device/spec.h"

namespace spillway {
namespace {

constexpr std::size_t kRowsShown = 12;
constexpr std::size_t kNameWidth = 44;

/// "channels_last: 12 ms, workspace up to 3 MiB; channels_first: ..." at the largest batch.
std::string layouts_text(const std::vector<LayoutTrial>& trials) {
  std::int64_t largest = 0;
  for (const LayoutTrial& trial : trials) largest = std::max(largest, trial.batch);
  std::vector<std::string> texts;
  for (const LayoutTrial& trial : trials) {
    if (trial.batch == largest)
      texts.push_back(
          fmt::format("{} {}, workspace {}", to_text(trial.layout), to_text(trial.seconds), to_text(trial.workspace)));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

}  // namespace

Facts device_view(const Trace& trace) {
  Facts facts;
  const Provenance& from = trace.provenance;
  if (!from.driver.empty()) facts.emplace_back("driver", from.driver);
  if (says_tf32(from.device))
    facts.emplace_back("precision", "TF32: convolutions and products may round their inputs to 10 bits of mantissa");
  if (from.clocks) facts.emplace_back("clocks", to_text(*from.clocks));
  if (trace.graph.layout != Layout::channels_last || !trace.layouts.empty())
    facts.emplace_back("layout", std::string(to_text(trace.graph.layout)));
  if (!trace.layouts.empty()) facts.emplace_back("layouts tried", layouts_text(trace.layouts));
  std::set<std::string> names;
  std::size_t throttled = 0;
  for (const BatchCosts& costs : trace.batches) {
    for (const KernelCost& cost : costs.kernels) {
      names.insert(cost.device_kernels.begin(), cost.device_kernels.end());
      throttled += cost.throttled ? 1 : 0;
    }
  }
  if (!names.empty()) facts.emplace_back("device's kernels", fmt::format("{} seen by {}", names.size(), from.tracer));
  if (throttled > 0)
    facts.emplace_back(
        "throttled", fmt::format("{} distinct op{}, under load too: the times are those of a GPU held down", throttled,
                                 throttled == 1 ? "" : "s"));
  return facts;
}

std::string in_place_text(const Trace& trace, std::int64_t batch) {
  const auto step = std::ranges::find(trace.steps, batch, &StepInPlace::batch);
  if (step == trace.steps.end()) return "-";
  return fmt::format("{} ({})", to_text(step->step), percent(step->step / step->apart - 1));
}

void print_device_kernels(const BatchCosts& costs) {
  std::vector<std::pair<const KernelCost*, int>> seen;  // with the ops that it stands for
  for (const KernelCost& cost : costs.kernels) seen.emplace_back(&cost, 0);
  for (const std::uint32_t index : costs.kernel_of) ++seen[index].second;
  std::erase_if(seen, [](const auto& item) { return item.first->device_kernels.empty() || item.second == 0; });
  if (seen.empty()) return;
  std::ranges::stable_sort(seen, std::greater<>{},
                           [](const auto& item) { return item.first->seconds * static_cast<double>(item.second); });
  std::vector<std::vector<std::string>> rows;
  for (const auto& [cost, ops] : seen) {
    if (rows.size() == kRowsShown) break;
    rows.push_back({shortened(fmt::format("{}", fmt::join(cost->device_kernels, " + ")), kNameWidth),
                    std::to_string(ops), to_text(cost->seconds),
                    cost->device_seconds ? to_text(*cost->device_seconds) : "-"});
  }
  fmt::print("\n");
  print_table({fmt::format("device's kernels at batch {}", costs.batch), "ops", "time", "by device"}, rows);
}

}  // namespace spillway
