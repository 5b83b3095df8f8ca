#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tuner/choose.h"

namespace spillway {
namespace {

/// Every gap but those of kept buffers. Copies begin `ahead` positions before their readers, or right after the release
/// in shorter gaps.
std::vector<Away> all_away(const Problem& problem, std::int64_t ahead) {
  std::vector<Away> aways;
  for (std::size_t i = 0; i < problem.stretches().size(); ++i) {
    const Stretch& stretch = problem.stretches()[i];
    if (stretch.asked == Asked::keep) continue;
    const std::int64_t begin = std::max(stretch.after + 1, stretch.before - ahead);
    aways.push_back({.stretch = i, .release = stretch.after, .begin = begin});
  }
  return aways;
}

/// 0, 1, 2, 3, 4, 6, 8, 12, 16, ... up to the step's length.
std::vector<std::int64_t> aheads(std::int64_t positions) {
  std::vector<std::int64_t> values{0, 1};
  for (std::int64_t power = 2; power < positions; power *= 2) {
    values.push_back(power);
    values.push_back(power + power / 2);
  }
  return values;
}

}  // namespace

Outcome choose_swap_all(const Problem& problem) {
  std::optional<Tuned> best;
  Shortfall leanest_shortfall;
  for (const std::int64_t ahead : aheads(problem.positions())) {
    const std::vector<Away> aways = all_away(problem, ahead);
    if (ahead > 0 && problem.peak(aways) > problem.capacity()) break;  // longer stays only have more live
    auto result = tuned(problem, problem.prefetching(aways), {{"swapin_ahead", fmt::format("{}", ahead)}});
    if (const auto* shortfall = std::get_if<Shortfall>(&result)) {
      if (ahead == 0) leanest_shortfall = *shortfall;
      if (shortfall->host) break;
      continue;
    }
    Tuned& candidate = std::get<Tuned>(result);
    if (!best || candidate.times.step < best->times.step) best = std::move(candidate);
  }
  if (best) return std::move(*best);

  NothingFits none{.shortfall = leanest_shortfall, .smallest_capacity = std::nullopt};
  for (const std::int64_t ahead : aheads(problem.positions())) {
    const std::vector<Away> aways = all_away(problem, ahead);
    if (none.smallest_capacity && problem.peak(aways) >= *none.smallest_capacity) break;
    const auto needed = arena_bytes(problem, problem.prefetching(aways));
    const Bytes* bytes = std::get_if<Bytes>(&needed);
    if (!bytes) break;  // the host pool, which is the same for all
    none.smallest_capacity = std::min(*bytes, none.smallest_capacity.value_or(*bytes));
  }
  return none;
}

}  // namespace spillway
