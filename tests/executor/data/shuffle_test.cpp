#include "executor/data/shuffle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

namespace spillway {
namespace {

using Order = std::vector<std::uint32_t>;

TEST(Shuffle, HasEachSampleOnce) {
  for (const std::int64_t samples : {0, 1, 2, 7, 1000}) {
    Order order = shuffled_order(samples, 3, 5), expected(static_cast<std::size_t>(samples));
    std::ranges::sort(order);
    std::iota(expected.begin(), expected.end(), 0U);
    EXPECT_EQ(order, expected) << samples;
  }
}

TEST(Shuffle, DependsOnSeedAndEpoch) {
  EXPECT_EQ(shuffled_order(100, 3, 5), shuffled_order(100, 3, 5));
  EXPECT_NE(shuffled_order(100, 3, 5), shuffled_order(100, 4, 5));
  EXPECT_NE(shuffled_order(100, 3, 5), shuffled_order(100, 3, 6));
  EXPECT_NE(shuffled_order(100, 3, 5), shuffled_order(100, 3, 5 + (std::uint64_t{1} << 32)));
}

TEST(Shuffle, GivesEachOrderAboutAsOften) {
  // 6 orders of 3 samples in 6000 epochs: 1000 of each, standard deviation sqrt(6000 * 1/6 * 5/6) = 29; 5 of these is
  // 145.
  std::map<Order, int> counts;
  for (std::uint64_t epoch = 0; epoch < 6000; ++epoch) ++counts[shuffled_order(3, 1, epoch)];
  ASSERT_EQ(counts.size(), 6U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 145) << testing::PrintToString(order);
}

}  // namespace
}  // namespace spillway
