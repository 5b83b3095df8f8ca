#include "core/statistics.h"

#include <gtest/gtest.h>

namespace spillway {
namespace {

TEST(Statistics, TheMedianOfAnOddNumberIsTheMiddleOne) {
  EXPECT_DOUBLE_EQ(median({9, 1, 4}), 4);
}

TEST(Statistics, TheMedianOfAnEvenNumberLiesBetweenTheMiddleTwo) {
  EXPECT_DOUBLE_EQ(median({1, 2, 4, 100}), 3);
}

TEST(Statistics, OneOutlierMovesNeitherMedianNorSpread) {
  // Quartiles of five values are the second and the fourth: (3 - 1) / 2.
  EXPECT_DOUBLE_EQ(spread({1, 1, 2, 3, 3}), 1);
  EXPECT_DOUBLE_EQ(spread({1, 1, 2, 3, 1000}), 1);
  EXPECT_DOUBLE_EQ(median({1, 1, 2, 3, 1000}), 2);
}

TEST(Statistics, QuantilesAreInterpolatedBetweenNeighbours) {
  EXPECT_DOUBLE_EQ(quantile({0, 10}, 0.25), 2.5);
  EXPECT_DOUBLE_EQ(quantile({7}, 0.75), 7);
}

TEST(Statistics, EqualValuesHaveNoSpread) {
  EXPECT_DOUBLE_EQ(spread({2, 2, 2}), 0);
  EXPECT_DOUBLE_EQ(spread({0, 0}), 0);
}

}  // namespace
}  // namespace spillway
