#include "profiler/interference.h"

#include <algorithm>
#include <utility>

namespace spillway {
namespace {

/// The median of value(timing), each weighing as much as the op lasts, since short ones hardly see a copy.
template <class Value>
double weighted_median(const std::vector<OpTiming>& timings, double if_none, Value value) {
  std::vector<std::pair<double, double>> weighted;
  double total = 0, passed = 0;
  for (const OpTiming& timing : timings) {
    if (timing.copying_disturbed || timing.copy_rate.value <= 0 || timing.seconds.value <= 0) continue;
    weighted.emplace_back(value(timing), timing.seconds.value);
    total += timing.seconds.value;
  }
  std::ranges::sort(weighted);
  for (const auto& [each, weight] : weighted) {
    passed += weight;
    if (passed >= total / 2) return each;
  }
  return if_none;
}

// An op too short to see copies at anything near the trace's rate tells little; what it tells isn't magnified further
// than this.
constexpr double kMostScaling = 2;

}  // namespace

double slowdown_at(BytesPerSecond rate, const OpTiming& timing) {
  const double scaling = timing.copy_rate.value > 0 ? std::min(kMostScaling, rate.value / timing.copy_rate.value) : 1;
  return std::max(0.0, timing.while_copying / timing.seconds - 1) * scaling;
}

Interference interference_of(const std::vector<OpTiming>& timings, BytesPerSecond link) {
  const BytesPerSecond rate{
      weighted_median(timings, link.value, [](const OpTiming& timing) { return timing.copy_rate.value; })};
  return {.rate = rate,
          .slowdown = weighted_median(timings, 0, [&](const OpTiming& timing) { return slowdown_at(rate, timing); })};
}

}  // namespace spillway
