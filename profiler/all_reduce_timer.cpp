#include "profiler/all_reduce_timer.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace spillway {
namespace {

constexpr int kWarmups = 2, kRepeats = 7;

double seconds_of(Communicator& ranks, std::span<float> values) {
  const std::span<float> pieces[] = {values};
  ranks.barrier();
  const auto begun = std::chrono::steady_clock::now();
  ranks.all_reduce_sum(pieces, 1 / static_cast<float>(ranks.size()));
  const double mine = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  double slowest = 0;
  for (const std::string& text : ranks.all_gather(std::to_string(mine))) slowest = std::max(slowest, std::stod(text));
  return slowest;
}

}  // namespace

AllReduceCurve time_all_reduces(Communicator& ranks, const std::function<void(Bytes)>& progress) {
  AllReduceCurve curve{.ranks = ranks.size(), .points = {}};
  for (Bytes size = 4_KiB; size <= 64_MiB; size = size * 4) {
    if (progress) progress(size);
    std::vector<float> values(static_cast<std::size_t>(size.value) / sizeof(float), 0.5F);
    std::vector<double> seconds;
    for (int i = 0; i < kWarmups + kRepeats; ++i) {
      const double once = seconds_of(ranks, values);
      if (i >= kWarmups) seconds.push_back(once);
    }
    std::ranges::sort(seconds);
    curve.points.push_back({.bytes = size, .seconds = {std::max(seconds[kRepeats / 2], 1e-6)}});
  }
  return curve;
}

}  // namespace spillway
