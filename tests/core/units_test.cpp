#include "core/units.h"

#include <gtest/gtest.h>

#include <type_traits>

#include "core/error.h"

namespace spillway {
namespace {

// A size can't become a time, nor a bare number either of them.
static_assert(!std::is_convertible_v<Bytes, Seconds>);
static_assert(!std::is_convertible_v<Seconds, Bytes>);
static_assert(!std::is_convertible_v<BytesPerSecond, Seconds>);
static_assert(!std::is_convertible_v<std::int64_t, Bytes>);
static_assert(!std::is_convertible_v<double, Seconds>);
static_assert(!std::is_convertible_v<Bytes, std::int64_t>);
template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a < b;
};
static_assert(Addable<Bytes, Bytes> && !Addable<Bytes, Seconds> && !Addable<Seconds, BytesPerSecond>);
static_assert(Comparable<Bytes, Bytes> && !Comparable<Bytes, Seconds>);
static_assert(std::is_same_v<decltype(Bytes{} / BytesPerSecond{}), Seconds>);
static_assert(std::is_same_v<decltype(Bytes{} / Seconds{}), BytesPerSecond>);

static_assert(align_up(0_B, 64_B) == 0_B);
static_assert(align_up(1_B, 64_B) == 64_B);
static_assert(align_up(64_B, 64_B) == 64_B);
static_assert(align_up(65_B, 256_B) == 256_B);

TEST(Units, SizesOverRatesAreTimes) {
  EXPECT_DOUBLE_EQ((3'000'000_B / 1.5_GBps).value, 0.002);
  EXPECT_DOUBLE_EQ((1_GiB / Seconds{2}).value, 536'870'912);
  EXPECT_DOUBLE_EQ(3.0_s / 1.5_s, 2);
}

TEST(Units, SizesArePrintedInBinaryUnitsWithThreeDigits) {
  EXPECT_EQ(to_text(0_B), "0 B");
  EXPECT_EQ(to_text(1023_B), "1023 B");
  EXPECT_EQ(to_text(1_KiB), "1.00 KiB");
  EXPECT_EQ(to_text(Bytes{11'580'000'000}), "10.8 GiB");  // 11.58e9 / 2^30 = 10.785
  EXPECT_EQ(to_text(640_MiB), "640 MiB");
  EXPECT_EQ(to_text(1023_KiB), "1023 KiB");
  EXPECT_EQ(to_text(1_MiB - 1_B), "1.00 MiB");
  EXPECT_EQ(to_text(1_KiB - 3_KiB), "-2.00 KiB");
}

TEST(Units, TimesArePrintedWithThreeDigits) {
  EXPECT_EQ(to_text(4.2123_s), "4.21 s");
  EXPECT_EQ(to_text(35.0_ms), "35.0 ms");
  EXPECT_EQ(to_text(Seconds{12.44e-6}), "12.4 us");
  EXPECT_EQ(to_text(Seconds{3e-9}), "3.00 ns");
  EXPECT_EQ(to_text(Seconds{0}), "0.00 us");
  EXPECT_EQ(to_text(Seconds{0.99999}), "1.00 s");
  EXPECT_EQ(to_text(Seconds{-0.002}), "-2.00 ms");
}

TEST(Units, RatesArePrintedInDecimalUnits) {
  EXPECT_EQ(to_text(0.85_GBps), "0.85 GB/s");
  EXPECT_EQ(to_text(31.5_GBps), "31.5 GB/s");
}

struct TextCase {
  std::string text;
  double expected;
};

TEST(Units, SizesAreReadWithAndWithoutUnits) {
  for (const TextCase& c : {TextCase{"4096", 4096},
                            {"12GiB", 12.0 * 1073741824},
                            {"640MiB", 640.0 * 1048576},
                            {"12e9", 12e9},
                            {"1.5GB", 1.5e9},
                            {"1.5 GB", 1.5e9},
                            {"2kB", 2000},
                            {"1TiB", 1099511627776.0},
                            {"3B", 3},
                            {"1.9", 1}}) {
    EXPECT_EQ(parse_bytes(c.text, "--capacity").value, static_cast<std::int64_t>(c.expected)) << c.text;
  }
}

TEST(Units, RatesAndTimesAreRead) {
  EXPECT_DOUBLE_EQ(parse_rate("0.85GB/s", "link").value, 0.85e9);
  EXPECT_DOUBLE_EQ(parse_rate("150MB/s", "link").value, 150e6);
  EXPECT_DOUBLE_EQ(parse_rate("12e9", "link").value, 12e9);
  EXPECT_DOUBLE_EQ(parse_seconds("10us", "start").value, 1e-5);
  EXPECT_DOUBLE_EQ(parse_seconds("2.5ms", "start").value, 2.5e-3);
  EXPECT_DOUBLE_EQ(parse_seconds("0", "start").value, 0);
}

template <class Read>
std::string complaint(Read read) {
  try {
    static_cast<void>(read());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input);
    return error.what();
  }
  return "none";
}

TEST(Units, WhatIsNoSizeIsRefused) {
  for (const std::string text :
       {"", "GiB", "12Gib", "12 GiB x", "-1", "0", "0.5", "nan", "inf", "1e30", "0x10", "12,5"}) {
    EXPECT_EQ(complaint([&] { return parse_bytes(text, "--capacity"); }),
              "--capacity: found '" + text + "', expected a size above zero such as 12GiB, 640MiB or 12e9");
  }
}

TEST(Units, WhatIsNoRateOrTimeIsRefused) {
  for (const std::string text : {"", "0", "-1GB/s", "fast", "1GiB/s", "1GB"}) {
    EXPECT_EQ(complaint([&] { return parse_rate(text, "link"); }),
              "link: found '" + text + "', expected a rate above zero such as 0.85GB/s");
  }
  for (const std::string text : {"", "-1us", "10min", "us"}) {
    EXPECT_EQ(complaint([&] { return parse_seconds(text, "start"); }),
              "start: found '" + text + "', expected a time such as 10us");
  }
}

}  // namespace
}  // namespace spillway
