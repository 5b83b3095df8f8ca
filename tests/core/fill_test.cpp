#include "core/fill.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/philox.h"

namespace spillway {
namespace {

std::vector<float> filled(std::size_t count, std::string_view name, std::uint64_t seed, std::uint64_t first = 0) {
  std::vector<float> values(count);
  fill_uniform(values, name, seed, -2, 3, first);
  return values;
}

TEST(Fnv1a64, GivesThePublishedAnswers) {  // from the draft of the FNV authors, appendix C
  EXPECT_EQ(fnv1a64(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv1a64("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(fnv1a64("foobar"), 0x85944171f73967e8U);
}

TEST(FillUniform, IsTheFormulaOfItsContract) {
  const std::uint64_t key = fnv1a64("w") ^ 7;
  const std::vector<float> values = filled(6, "w", 7);
  for (std::uint32_t i = 0; i < 6; ++i) {
    const auto words =
        philox4x32_10({i / 4, 0, 0, 0}, {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
    EXPECT_EQ(values[i], static_cast<float>(-2 + 5 * (words[i % 4] * 0x1p-32)));
  }
}

TEST(FillUniform, APrefixIsThePrefixOfMore) {
  const std::vector<float> many = filled(1000, "w", 7);
  for (const std::size_t count : {1U, 3U, 4U, 5U, 999U}) {
    EXPECT_TRUE(
        std::ranges::equal(filled(count, "w", 7), std::vector(many.begin(), many.begin() + static_cast<int>(count))));
  }
}

TEST(FillUniform, APartIsThatPartOfTheWhole) {
  const std::vector<float> many = filled(1000, "w", 7);
  for (const int first : {1, 2, 4, 7, 500}) {
    EXPECT_TRUE(std::ranges::equal(filled(100, "w", 7, static_cast<std::uint64_t>(first)),
                                   std::vector(many.begin() + first, many.begin() + first + 100)));
  }
  // Beyond 2^34 elements the counter's second word is in use.
  EXPECT_NE(filled(4, "w", 7, std::uint64_t{1} << 34U), filled(4, "w", 7));
}

TEST(FillUniform, StaysInItsRangeAndFillsIt) {
  const std::vector<float> values = filled(100'000, "w", 1);
  const auto [least, most] = std::ranges::minmax(values);
  EXPECT_GE(least, -2);
  EXPECT_LT(most, 3);
  EXPECT_LT(least, -1.99);  // all 100 000 above it: 0.998^100000 = e^-200
  EXPECT_GT(most, 2.99);
  double sum = 0;
  for (const float value : values) sum += value;
  EXPECT_NEAR(sum / 1e5, 0.5, 0.03);  // sigma of the mean: 5 / sqrt(12) / sqrt(1e5) = 0.0046
}

TEST(FillUniform, OtherNamesAndSeedsGiveOtherNumbers) {
  EXPECT_NE(filled(8, "w", 1), filled(8, "w", 2));
  EXPECT_NE(filled(8, "w", 1), filled(8, "v", 1));
}

}  // namespace
}  // namespace spillway
