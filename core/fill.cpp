#include "core/fill.h"

#include <array>

#include "core/philox.h"

namespace spillway {

std::uint64_t fnv1a64(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

void fill_uniform(std::span<float> values, std::string_view name, std::uint64_t seed, double low, double high,
                  std::uint64_t first) {
  const std::uint64_t key = fnv1a64(name) ^ seed;
  const std::array<std::uint32_t, 2> words{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  std::array<std::uint32_t, 4> random{};
  std::uint64_t block = ~std::uint64_t{0};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t index = first + i;
    if (index / 4 != block) {
      block = index / 4;
      random = philox4x32_10({static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), 0, 0}, words);
    }
    values[i] = static_cast<float>(low + (high - low) * unit_interval(random[index % 4]));
  }
}

}  // namespace spillway
