#pragma once

#include <cstdint>

/// Marks what runs on the GPU and, where there is none, on the host.
#ifdef __CUDACC__
#define SPILLWAY_HD __host__ __device__
#else
#define SPILLWAY_HD
#endif

namespace spillway {

struct Division {
  std::int64_t quotient, remainder;
};

/// Requires: `value` isn't negative, `by` is positive. In 32 bits where both fit: a GPU divides 64 bits by a call of
/// about a hundred instructions, which would bind kernels that are otherwise bound by memory.
[[nodiscard]] SPILLWAY_HD inline Division divide(std::int64_t value, std::int64_t by) {
  if (((value | by) >> 32) == 0) {
    const auto small = static_cast<std::uint32_t>(value), divisor = static_cast<std::uint32_t>(by);
    const std::uint32_t quotient = small / divisor;
    return {quotient, small - quotient * divisor};
  }
  const std::int64_t quotient = value / by;
  return {quotient, value - quotient * by};
}

}  // namespace spillway
