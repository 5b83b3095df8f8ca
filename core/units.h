#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace spillway {

/// A number of bytes. Never negative except as a difference.
struct Bytes {
  std::int64_t value = 0;

  friend constexpr auto operator<=>(Bytes, Bytes) = default;
  friend constexpr Bytes operator+(Bytes a, Bytes b) { return {a.value + b.value}; }
  friend constexpr Bytes operator-(Bytes a, Bytes b) { return {a.value - b.value}; }
  friend constexpr Bytes operator*(Bytes a, std::int64_t n) { return {a.value * n}; }
  friend constexpr Bytes operator*(std::int64_t n, Bytes a) { return a * n; }
  constexpr Bytes& operator+=(Bytes b) { return *this = *this + b; }
  constexpr Bytes& operator-=(Bytes b) { return *this = *this - b; }
};

/// A duration, or a point in time counted from the step's start.
struct Seconds {
  double value = 0;

  friend constexpr auto operator<=>(Seconds, Seconds) = default;
  friend constexpr Seconds operator+(Seconds a, Seconds b) { return {a.value + b.value}; }
  friend constexpr Seconds operator-(Seconds a, Seconds b) { return {a.value - b.value}; }
  friend constexpr Seconds operator*(Seconds a, double n) { return {a.value * n}; }
  friend constexpr Seconds operator*(double n, Seconds a) { return a * n; }
  friend constexpr double operator/(Seconds a, Seconds b) { return a.value / b.value; }
  constexpr Seconds& operator+=(Seconds b) { return *this = *this + b; }
};

/// A link's or a memory's rate.
struct BytesPerSecond {
  double value = 0;

  friend constexpr auto operator<=>(BytesPerSecond, BytesPerSecond) = default;
};

[[nodiscard]] constexpr Seconds operator/(Bytes size, BytesPerSecond rate) {
  return {static_cast<double>(size.value) / rate.value};
}
[[nodiscard]] constexpr BytesPerSecond operator/(Bytes size, Seconds time) {
  return {static_cast<double>(size.value) / time.value};
}

/// `size` rounded up to a multiple of `alignment`. Requires: `alignment` is a power of two.
[[nodiscard]] constexpr Bytes align_up(Bytes size, Bytes alignment) {
  return {(size.value + alignment.value - 1) & ~(alignment.value - 1)};
}

inline namespace literals {
constexpr Bytes operator""_B(unsigned long long n) {
  return {static_cast<std::int64_t>(n)};
}
constexpr Bytes operator""_KiB(unsigned long long n) {
  return {static_cast<std::int64_t>(n) << 10};
}
constexpr Bytes operator""_MiB(unsigned long long n) {
  return {static_cast<std::int64_t>(n) << 20};
}
constexpr Bytes operator""_GiB(unsigned long long n) {
  return {static_cast<std::int64_t>(n) << 30};
}
constexpr Seconds operator""_s(long double s) {
  return {static_cast<double>(s)};
}
constexpr Seconds operator""_ms(long double s) {
  return {static_cast<double>(s) * 1e-3};
}
constexpr BytesPerSecond operator""_GBps(long double r) {
  return {static_cast<double>(r) * 1e9};
}
}  // namespace literals

/// For people: `11.3 GiB`, `640 B`. Binary units, three significant digits.
[[nodiscard]] std::string to_text(Bytes size);
/// For people: `4.21 s`, `35.0 ms`, `12.4 us`.
[[nodiscard]] std::string to_text(Seconds time);
/// For people: `0.85 GB/s`. Decimal units, as on data sheets.
[[nodiscard]] std::string to_text(BytesPerSecond rate);

/// Reads `12GiB`, `640MiB`, `12e9`, `1.5GB` (decimal), `4096`.
/// Throws Error (exit 2) that starts with `what` when the text isn't a size above zero.
[[nodiscard]] Bytes parse_bytes(const std::string& text, const std::string& what);
/// Reads `0.85GB/s`, `31.5GB/s`, `12e9`. Throws like parse_bytes.
[[nodiscard]] BytesPerSecond parse_rate(const std::string& text, const std::string& what);
/// Reads `10us`, `2.5ms`, `1s`, `1e-6`. Throws like parse_bytes; zero is allowed.
[[nodiscard]] Seconds parse_seconds(const std::string& text, const std::string& what);

}  // namespace spillway
