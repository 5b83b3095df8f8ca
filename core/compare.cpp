#include "core/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"

namespace spillway {
namespace {

void sort_by_size(std::vector<Difference>& differences) {
  std::ranges::stable_sort(differences, std::greater<>{},
                           [](const Difference& d) { return std::abs(d.seconds().value); });
}

}  // namespace

Comparison compare(const Timeline& all_of_first, const Timeline& all_of_second) {
  const std::uint32_t gpus = std::min(gpus_of(all_of_first), gpus_of(all_of_second));
  const Timeline first = first_gpus(all_of_first, gpus), second = first_gpus(all_of_second, gpus);
  if (first.streams != second.streams || first.events.size() != second.events.size()) {
    throw input_error(fmt::format("the timelines '{}' ({} events) and '{}' ({} events) aren't of one schedule",
                                  first.title, first.events.size(), second.title, second.events.size()));
  }
  constexpr const char* kStreams[] = {"compute", "swap-out", "swap-in", "network", "host"};
  Comparison comparison{.step = {.name = "step", .first = first.step, .second = second.step},
                        .stall = {.name = "stall", .first = first.stall, .second = second.stall},
                        .busy = {},
                        .kinds = {},
                        .ops = {}};
  for (const Stream& stream : first.streams) {
    const std::string name = kStreams[static_cast<std::size_t>(stream.role)];
    comparison.busy.push_back(
        {.name = gpus > 1 ? fmt::format("rank {} {}", stream.gpu, name) : name, .first = {}, .second = {}});
  }
  std::map<std::string, Difference> kinds;
  for (std::size_t i = 0; i < first.events.size(); ++i) {
    const TimelineEvent& a = first.events[i];
    const TimelineEvent& b = second.events[i];
    if (a.instruction != b.instruction || a.name != b.name) {
      throw input_error(
          fmt::format("the timelines aren't of one schedule: event {} is '{}' here and '{}' there", i, a.name, b.name));
    }
    const Difference op{.name = a.name, .first = a.end - a.start, .second = b.end - b.start};
    for (Difference* sum : {&comparison.busy[a.stream.index()], &kinds[a.kind]}) {
      sum->first += op.first;
      sum->second += op.second;
    }
    kinds[a.kind].name = a.kind;
    comparison.ops.push_back(op);
  }
  for (const auto& [kind, sum] : kinds) comparison.kinds.push_back(sum);
  sort_by_size(comparison.kinds);
  sort_by_size(comparison.ops);
  return comparison;
}

}  // namespace spillway
