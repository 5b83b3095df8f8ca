#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/plan.h"
#include "core/trace.h"

namespace spillway {

/// A way to add up gradients, and what a step that keeps everything costs with it.
struct ReductionWay {
  GradientReduction reduction;
  Seconds step;
  Bytes peak;
};

/// Ways to put the parameters' gradients into buckets, as the backward pass completes them: buckets of at least 1, 4,
/// 16, 64, 256 MiB or all in one, and `shortest_buckets`; each with updates 1 or 4 all-reduces behind or at the step's
/// end. Small buckets begin early but pay more start-ups; late updates hold gradients longer. Each way once, by step
/// time as simulated, the fastest first. They don't depend on the capacity.
///
/// Throws Error (exit 2) when there are no gradients to add up.
[[nodiscard]] std::vector<ReductionWay> reduction_ways(const Trace& trace, const Platform& platform, std::int64_t batch,
                                                       std::int64_t micro_batches);

/// A gradient, and when the backward pass completes it.
struct CompletedGradient {
  BufferId gradient;
  Bytes bytes;
  Seconds completed;
};

/// The buckets whose last all-reduce ends the earliest when they run one after the other, each as soon as its last
/// gradient is complete, and nothing else shares their links. `gradients` come in order of completion; all-reduces in
/// another order never end earlier. Exact, by dynamic programming over the last bucket: n^2 / 2 steps. Of equal ends
/// the fewest buckets. `seconds` is what an all-reduce of so many bytes takes.
template <class SecondsOf>
[[nodiscard]] std::vector<std::vector<BufferId>> shortest_buckets(const std::vector<CompletedGradient>& gradients,
                                                                  SecondsOf seconds) {
  struct Best {
    Seconds end;
    std::size_t buckets = 0, from = 0;
  };
  std::vector<Best> best(gradients.size() + 1);  // by how many gradients are in buckets
  for (std::size_t to = 1; to <= gradients.size(); ++to) {
    Bytes size;
    for (std::size_t from = to; from-- > 0;) {
      size += gradients[from].bytes;
      const Seconds begin = std::max(best[from].end, gradients[to - 1].completed);
      const Best found{.end = begin + seconds(size), .buckets = best[from].buckets + 1, .from = from};
      const bool is_first = from + 1 == to;
      if (is_first || found.end < best[to].end || (found.end == best[to].end && found.buckets < best[to].buckets))
        best[to] = found;
    }
  }
  std::vector<std::vector<BufferId>> buckets;
  for (std::size_t to = gradients.size(); to > 0; to = best[to].from) {
    auto& bucket = *buckets.emplace(buckets.begin());
    for (std::size_t i = best[to].from; i < to; ++i) bucket.push_back(gradients[i].gradient);
  }
  return buckets;
}

}  // namespace spillway
