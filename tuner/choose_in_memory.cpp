#include <optional>

#include "tuner/choose.h"
#include "tuner/stretch.h"

namespace spillway {

Outcome choose_in_memory(const Problem& problem) {
  // What is asked for gets its copies' time from the memory that is left; placing may need more than is live, and then
  // the budget shrinks by as much.
  constexpr int kAttempts = 4;
  Bytes budget = problem.capacity();
  for (int attempt = 0; attempt < kAttempts && !problem.asked_swaps().empty(); ++attempt) {
    const auto aways = stretch_stays(problem, problem.asked_swaps(), {.budget = budget});
    if (!aways) break;
    auto result = tuned(problem, problem.prefetching(*aways), {});
    if (Tuned* fits = std::get_if<Tuned>(&result)) return std::move(*fits);
    const Shortfall& shortfall = std::get<Shortfall>(result);
    if (shortfall.host) break;
    budget -= shortfall.needed - problem.capacity();
  }
  auto result = tuned(problem, only_asked_swaps(problem), {});
  if (Tuned* fits = std::get_if<Tuned>(&result)) return std::move(*fits);
  NothingFits none{.shortfall = std::get<Shortfall>(result), .smallest_capacity = std::nullopt};
  const auto smallest = arena_bytes(problem, only_asked_swaps(problem));
  if (const Bytes* bytes = std::get_if<Bytes>(&smallest)) none.smallest_capacity = *bytes;
  return none;
}

}  // namespace spillway
