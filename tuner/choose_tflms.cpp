#include <algorithm>

#include "tuner/choose.h"
#include "tuner/tflms.h"

namespace spillway {
namespace {

std::variant<Bytes, Shortfall> bytes_at(const Problem& problem, const TflmsGraph& graph, const TflmsChoice& choice) {
  if (!choice.knobs) return arena_bytes(problem, only_asked_swaps(problem));
  return arena_bytes(problem, tflms_swaps(problem, graph, *choice.knobs));
}

/// The least that the replay could pass with, by its own reckoning.
Shortfall shortfall_of_giving_up(const Problem& problem, const TflmsGraph& graph) {
  const TflmsKnobs leanest{.sync_mode = 3};
  const TflmsReplay replayed = replay(graph, leanest, problem.capacity());
  return {.needed = tflms_capacity_for(problem, replayed.peak),
          .peak_live = tflms_peak(problem, graph, leanest),
          .capacity = problem.capacity(),
          .at = replayed.peak_at.valid() ? problem.graph().ops[replayed.peak_at].name : ""};
}

std::optional<Bytes> smallest_capacity(const Problem& problem, const TflmsGraph& graph) {
  // Where it turns itself off and everything fits, it surely finds a plan, if the host pool has room for the inputs.
  const auto kept = arena_bytes(problem, only_asked_swaps(problem));
  if (!std::holds_alternative<Bytes>(kept)) return std::nullopt;
  Bytes high = std::max(std::get<Bytes>(kept), tflms_capacity_for(problem, replay(graph, std::nullopt, {}).peak));
  Bytes low = std::min(problem.capacity(), high);
  // More memory doesn't always help it, so this is one border of perhaps several.
  for (;;) {
    const Bytes below = a_little_below(high, problem.alignment());
    const bool is_last = low >= below;
    const Bytes middle = is_last ? below : Bytes{low.value + (high.value - low.value) / 2};
    if (tflms_finds(problem, graph, middle)) {
      high = middle;
      if (is_last) low = Bytes{0};
    } else if (is_last) {
      return high;
    } else {
      low = middle;
    }
  }
}

}  // namespace

bool tflms_finds(const Problem& problem, const TflmsGraph& graph, Bytes capacity) {
  const TflmsChoice choice = tflms_choice(problem, graph, capacity);
  if (choice.gives_up) return false;
  if (choice.knobs && tflms_peak(problem, graph, *choice.knobs) > capacity) return false;
  const auto needed = bytes_at(problem, graph, choice);
  return std::holds_alternative<Bytes>(needed) && std::get<Bytes>(needed) <= capacity;
}

std::variant<Tuned, Shortfall> tuned_by_tflms(const Problem& problem, const TflmsGraph& graph) {
  const TflmsChoice choice = tflms_choice(problem, graph, problem.capacity());
  if (choice.gives_up) return shortfall_of_giving_up(problem, graph);
  if (!choice.knobs) return tuned(problem, only_asked_swaps(problem), {{"sync_mode", "off"}});
  return tuned(problem, tflms_swaps(problem, graph, *choice.knobs), to_map(*choice.knobs));
}

Outcome choose_tflms(const Problem& problem) {
  const TflmsGraph graph(problem);
  auto result = tuned_by_tflms(problem, graph);
  if (Tuned* fits = std::get_if<Tuned>(&result)) return std::move(*fits);
  return NothingFits{.shortfall = std::get<Shortfall>(result), .smallest_capacity = smallest_capacity(problem, graph)};
}

}  // namespace spillway
