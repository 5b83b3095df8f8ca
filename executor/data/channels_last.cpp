#include "executor/data/channels_last.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/error.h"

namespace spillway {
namespace {

/// In blocks, so that the cache lines written to stay in the first-level cache until they are full.
template <std::size_t kElement>
void transpose(const std::byte* from, std::size_t channels, std::size_t positions, std::byte* to) {
  constexpr std::size_t kBlock = 64;
  for (std::size_t p0 = 0; p0 < positions; p0 += kBlock) {
    const std::size_t p1 = std::min(p0 + kBlock, positions);
    for (std::size_t c0 = 0; c0 < channels; c0 += kBlock) {
      const std::size_t c1 = std::min(c0 + kBlock, channels);
      for (std::size_t c = c0; c < c1; ++c) {
        for (std::size_t p = p0; p < p1; ++p) {
          std::memcpy(to + (p * channels + c) * kElement, from + (c * positions + p) * kElement, kElement);
        }
      }
    }
  }
}

}  // namespace

void to_channels_last(std::span<const std::byte> from, std::int64_t channels, std::int64_t positions, Bytes element,
                      std::span<std::byte> to) {
  const auto c = static_cast<std::size_t>(channels);
  const auto p = static_cast<std::size_t>(positions);
  const auto size = c * p * static_cast<std::size_t>(element.value);
  SPILLWAY_CHECK(from.size() == size && to.size() == size, std::to_string(size) + " bytes");
  if (c == 1 || p == 1) {
    if (size > 0) std::memcpy(to.data(), from.data(), size);
    return;
  }
  switch (element.value) {
    case 1: return transpose<1>(from.data(), c, p, to.data());
    case 4: return transpose<4>(from.data(), c, p, to.data());
    case 8: return transpose<8>(from.data(), c, p, to.data());
    default: SPILLWAY_CHECK(false, std::to_string(element.value) + " bytes an element");
  }
}

}  // namespace spillway
