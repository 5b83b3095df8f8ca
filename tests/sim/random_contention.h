#pragma once

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/sim/hand_made.h"

namespace spillway {

// Machines and steps in which much runs at once. Half of the numbers are round, so that things end at the same time.

/// Evenly spread over the exponents.
inline double between(std::mt19937_64& random, double least, double most) {
  const double value = std::exp(std::uniform_real_distribution<double>(std::log(least), std::log(most))(random));
  const bool is_round = random() % 2 == 0;
  return is_round ? std::pow(10, std::round(std::log10(value) * 2) / 2) : value;
}
inline std::int64_t whole(std::mt19937_64& random, std::int64_t least, std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(least, most)(random);
}
inline bool chance(std::mt19937_64& random, double probability) {
  return std::bernoulli_distribution(probability)(random);
}

inline std::vector<Bricks> random_bricks(std::mt19937_64& random, std::int64_t gpus) {
  std::vector<Bricks> bricks;
  for (std::int64_t a = 0; a < gpus; ++a) {
    for (std::int64_t b = a + 1; b < gpus; ++b) {
      // A ring over all, and some others; few enough that the rings among many GPUs are soon counted.
      const bool neighbours = b == a + 1 || (a == 0 && b == gpus - 1);
      if (chance(random, neighbours ? 0.9 : 1.0 / static_cast<double>(gpus)))
        bricks.push_back({.a = a, .b = b, .count = whole(random, 1, 2)});
    }
  }
  return bricks;
}

/// 1 to 3 nodes of 1 to 8 GPUs; every optional part there or not; rates from 1 to 100 GB/s.
inline Platform random_platform(std::mt19937_64& random) {
  const auto rate = [&] { return Rate{.value = {between(random, 1e9, 1e11)}, .source = "test"}; };
  const auto start = [&] { return Seconds{chance(random, 0.3) ? 0 : between(random, 1e-6, 1e-5)}; };
  const auto maybe_rate = [&] { return chance(random, 0.5) ? std::optional<Rate>(rate()) : std::nullopt; };
  Platform platform;
  platform.name = "random";
  platform.gpus_per_node = whole(random, 1, 8);
  platform.nodes = whole(random, 1, 3);
  platform.host_link = {.in = rate(), .out = rate(), .both = maybe_rate(), .start = start()};
  if (chance(random, 0.5)) {
    platform.uplink =
        Uplink{.gpus = whole(random, 1, platform.gpus_per_node), .in = rate(), .out = rate(), .both = maybe_rate()};
  }
  if (chance(random, 0.5)) {
    platform.sockets = Sockets{.count = whole(random, 1, std::min<std::int64_t>(platform.gpus_per_node, 4)),
                               .memory = rate(),
                               .link = maybe_rate()};
  }
  if (chance(random, 0.8)) {
    const auto kind = static_cast<GpuLinks::Kind>(whole(random, 0, 3));
    platform.gpu_links = GpuLinks{.kind = kind, .rate = rate(), .bricks = {}, .start = start()};
    if (kind == GpuLinks::Kind::bricks) platform.gpu_links->bricks = random_bricks(random, platform.gpus_per_node);
  }
  if (chance(random, 0.8)) {
    platform.network = Network{.nics = whole(random, 1, platform.gpus_per_node),
                               .rate = rate(),
                               .start = start(),
                               .behind_uplink = chance(random, 0.5)};
  }
  return platform;
}

/// 10 to 40 instructions for that platform, each from 1 us up, waiting for some before them. No interference.
inline HandMade random_schedule(std::mt19937_64& random, const Platform& platform) {
  HandMade made(platform.host_link.in.value, platform.host_link.out.value);
  if (chance(random, 0.5)) made.trace.issue = {between(random, 1e-6, 1e-5)};
  made.trace.all_reduces = {{.ranks = platform.ranks(), .points = {{1'000'000_B, 0.1_ms}, {10'000'000_B, 0.5_ms}}}};
  const auto size = [&] { return Bytes{4 * std::llround(between(random, 1e5, 1e8) / 4)}; };
  for (std::int64_t left = whole(random, 10, 40); left > 0; --left) {
    HandMade::Waits waits;
    const std::size_t before = made.schedule.instructions.size();
    for (std::int64_t wait = before > 0 ? whole(random, 0, 2) : 0; wait > 0; --wait)
      waits.emplace_back(static_cast<std::size_t>(random() % before));
    switch (whole(random, 0, platform.ranks() > 1 ? 4 : 3)) {
      case 0:
      case 1: made.compute({between(random, 1e-6, 1e-3)}, waits); break;
      case 2: made.swap_in(size(), waits); break;
      case 3: made.swap_out(size(), waits); break;
      default: made.all_reduce(size(), waits);
    }
  }
  return made;
}

}  // namespace spillway
