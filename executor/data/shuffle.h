#pragma once

#include <cstdint>
#include <vector>

namespace spillway {

/// The order in which an epoch goes through `samples` samples: a permutation, the same on every machine and with every
/// library.
///
/// Fisher and Yates from the back: for i = samples - 1 down to 1, order[i] and order[j] change places, j uniform in [0,
/// i]. Random words are those of Philox 4x32-10 with counter (i, n, epoch low word, epoch high word), n = 0, 1, ...,
/// and the key (low word, high word) of (fnv1a64("shuffle") xor seed). A word w gives j = floor(w (i + 1) / 2^32); it
/// is left out when w (i + 1) mod 2^32 is below 2^32 mod (i + 1), which makes every j equally likely (Lemire, "Fast
/// random integer generation in an interval", 2019). Requires: samples < 2^32.
[[nodiscard]] std::vector<std::uint32_t> shuffled_order(std::int64_t samples, std::uint64_t seed, std::uint64_t epoch);

}  // namespace spillway
