#include "tuner/tflms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "tuner/choose.h"
#include "tuner/stretch.h"

namespace spillway {
namespace {

constexpr double kShareOfMemory = 0.9;  // 0.8 under DDL, which isn't ours yet

Bytes parameter_bytes(const Problem& problem) {
  Bytes sum;
  for (const Buffer& buffer : problem.graph().buffers) {
    if (buffer.role == Role::parameter) sum += bytes(buffer, problem.request().batch);
  }
  return sum;
}

/// The largest value in [passing, limit] for which `passes` holds, if it holds up to some value and not beyond.
template <class Passes>
std::int64_t largest_passing(std::int64_t passing, std::int64_t limit, Passes&& passes) {
  while (passing < limit) {
    const std::int64_t middle = passing + (limit - passing + 1) / 2;
    if (passes(middle)) {
      passing = middle;
    } else {
      limit = middle - 1;
    }
  }
  return passing;
}

/// The swaps as stays of ours, and how each is tied to the compute stream.
std::vector<Away> group_stays(const Problem& problem, const TflmsGraph& graph, const TflmsKnobs& knobs) {
  // Of each gap the stretch, by buffer and the use behind it.
  std::map<std::pair<BufferId, Position>, std::size_t> stretch_before;
  for (std::size_t i = 0; i < problem.stretches().size(); ++i) {
    const Stretch& stretch = problem.stretches()[i];
    if (stretch.can_be_away && stretch.was_there() && !stretch.lasting) {
      stretch_before[{stretch.gap.buffer, stretch.gap.before}] = i;
    }
  }
  std::vector<Away> aways;
  for (const TflmsTensor& tensor : graph.tensors()) {
    if (!tensor.swappable) continue;
    for (const TflmsGroup& group : split_consumers(graph, tensor, knobs).groups) {
      const OpId first = *std::ranges::min_element(group.readers);  // in our order; positions are ops
      const auto found = stretch_before.find({tensor.buffer, Position(first.index())});
      if (found == stretch_before.end()) continue;  // right behind another use: it can't be gone
      const Stretch& stretch = problem.stretches()[found->second];
      std::int64_t begin = stretch.before;
      if (group.trigger) {
        begin = std::clamp(static_cast<std::int64_t>(group.trigger->index()) + 1, stretch.after + 1, stretch.before);
      }
      aways.push_back({.stretch = found->second, .release = stretch.after, .begin = begin});
    }
  }
  return aways;
}

}  // namespace

TflmsChoice tflms_choice(const Problem& problem, const TflmsGraph& graph, Bytes capacity) {
  const Bytes budget{static_cast<std::int64_t>(
      std::floor(static_cast<double>((capacity - parameter_bytes(problem)).value) * kShareOfMemory))};
  if (replay(graph, std::nullopt, budget).passes) return {.gives_up = false, .knobs = std::nullopt};

  TflmsKnobs knobs;
  const auto passes = [&](const TflmsKnobs& tried) { return replay(graph, tried, budget).passes; };
  while (!passes(knobs)) {
    if (knobs.sync_mode == 3) return {.gives_up = true, .knobs = std::nullopt};
    ++knobs.sync_mode;
  }
  const auto with = [&](std::int64_t TflmsKnobs::*knob) {
    return [&passes, &knobs, knob](std::int64_t value) {
      TflmsKnobs tried = knobs;
      tried.*knob = value;
      return passes(tried);
    };
  };
  const std::int64_t levels = graph.level_count();
  knobs.swapout_threshold = largest_passing(1, levels, with(&TflmsKnobs::swapout_threshold));
  if (!knobs.swaps_in_synchronously()) {
    knobs.swapin_ahead = largest_passing(1, levels, with(&TflmsKnobs::swapin_ahead));
  }
  // All levels first, then halving: the first value that passes is taken, not the largest.
  const auto groups = with(&TflmsKnobs::swapin_groupby);
  std::int64_t groupby = levels;
  while (groupby > 0 && !groups(groupby)) groupby /= 2;
  knobs.swapin_groupby = groupby;
  return {.gives_up = false, .knobs = knobs};
}

Bytes tflms_capacity_for(const Problem& problem, Bytes peak) {
  // An allocation fails already when it would take all that is free.
  const double budget = static_cast<double>(peak.value + 1);
  return parameter_bytes(problem) + Bytes{static_cast<std::int64_t>(std::ceil(budget / kShareOfMemory))};
}

std::vector<Swap> tflms_swaps(const Problem& problem, const TflmsGraph& graph, const TflmsKnobs& knobs) {
  const SwapMode mode = knobs.swaps_out_synchronously() ? SwapMode::triggered_blocking : SwapMode::triggered;
  std::vector<Swap> swaps = only_asked_swaps(problem);
  for (const Away& away : group_stays(problem, graph, knobs)) swaps.push_back(problem.swap(away, mode));
  return swaps;
}

Bytes tflms_peak(const Problem& problem, const TflmsGraph& graph, const TflmsKnobs& knobs) {
  std::vector<Away> aways = shortest_stays(problem, problem.asked_swaps());
  for (const Away& away : group_stays(problem, graph, knobs)) aways.push_back(away);
  return problem.peak(aways);
}

std::map<std::string, std::string> to_map(const TflmsKnobs& knobs) {
  return {{"swapout_threshold", fmt::format("{}", knobs.swapout_threshold)},
          {"swapin_ahead", fmt::format("{}", knobs.swapin_ahead)},
          {"swapin_groupby", fmt::format("{}", knobs.swapin_groupby)},
          {"sync_mode", fmt::format("{}", knobs.sync_mode)}};
}

}  // namespace spillway
