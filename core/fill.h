#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace spillway {

/// Fills with uniform numbers in [low, high), a function of (name, seed, index) alone, so that another program can make
/// the same: element i is low + (high - low) * u, computed in double and rounded to float, where u is word i % 4 of
/// Philox 4x32-10, times 2^-32, with counter (i / 4 low word, i / 4 high word, 0, 0) and key (low word, high word) of
/// (fnv1a64(name) xor seed). `first` is the index of values[0].
void fill_uniform(std::span<float> values, std::string_view name, std::uint64_t seed, double low, double high,
                  std::uint64_t first = 0);

/// 64-bit FNV-1a.
[[nodiscard]] std::uint64_t fnv1a64(std::string_view text);

}  // namespace spillway
