#include "executor/data/channels_last.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/executor/data/support.h"

namespace spillway {
namespace {

TEST(ChannelsLast, PutsTheChannelsOfAPositionSideBySide) {
  // Two channels of three positions: 0 1 2 | 10 11 12.
  const std::vector<float> logical{0, 1, 2, 10, 11, 12};
  std::vector<float> placed(6);
  to_channels_last(bytes_of(logical), 2, 3, {4}, std::as_writable_bytes(std::span(placed)));
  EXPECT_THAT(placed, testing::ElementsAre(0, 10, 1, 11, 2, 12));
}

template <class T>
void expect_transposed(std::size_t channels, std::size_t positions) {
  std::vector<T> logical(channels * positions), placed(channels * positions);
  std::iota(logical.begin(), logical.end(), T{0});
  to_channels_last(bytes_of(logical), static_cast<std::int64_t>(channels), static_cast<std::int64_t>(positions),
                   {sizeof(T)}, std::as_writable_bytes(std::span(placed)));
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t p = 0; p < positions; ++p) {
      ASSERT_EQ(placed[p * channels + c], logical[c * positions + p]) << channels << " " << positions;
    }
  }
}

TEST(ChannelsLast, HandlesSizesAroundItsBlocks) {
  for (const std::size_t channels : {1U, 3U, 63U, 64U, 65U, 130U}) {
    for (const std::size_t positions : {1U, 2U, 64U, 65U, 200U}) {
      expect_transposed<std::uint8_t>(channels, positions);
      expect_transposed<float>(channels, positions);
      expect_transposed<std::int64_t>(channels, positions);
    }
  }
}

TEST(ChannelsLast, IsDoneOnceAnAxisHasOneElement) {
  const std::vector<float> logical{1, 2, 3};
  std::vector<float> placed(3);
  to_channels_last(bytes_of(logical), 1, 3, {4}, std::as_writable_bytes(std::span(placed)));
  EXPECT_EQ(placed, logical);
}

}  // namespace
}  // namespace spillway
