#include "executor/data/shuffle.h"

#include <array>
#include <numeric>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/fill.h"
#include "core/philox.h"

namespace spillway {

std::vector<std::uint32_t> shuffled_order(std::int64_t samples, std::uint64_t seed, std::uint64_t epoch) {
  SPILLWAY_CHECK(samples >= 0 && samples < (std::int64_t{1} << 32), std::to_string(samples));
  std::vector<std::uint32_t> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), 0U);
  const std::uint64_t key = fnv1a64("shuffle") ^ seed;
  const std::array<std::uint32_t, 2> key_words{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  const auto below = [&](std::uint32_t i) {
    const std::uint64_t bound = std::uint64_t{i} + 1;
    const std::uint64_t rejected = (std::uint64_t{1} << 32) % bound;
    for (std::uint32_t n = 0;; ++n) {
      const auto words =
          philox4x32_10({i, n, static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(epoch >> 32)}, key_words);
      for (const std::uint32_t word : words) {
        const std::uint64_t product = word * bound;
        if ((product & 0xffffffffU) >= rejected) return static_cast<std::size_t>(product >> 32);
      }
    }
  };
  for (std::size_t i = order.size(); i-- > 1;) std::swap(order[i], order[below(static_cast<std::uint32_t>(i))]);
  return order;
}

}  // namespace spillway
