#include "comm/pieces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace spillway {
namespace {

using testing::ElementsAre;

/// Six floats as pieces of 2, 0, 3, 0 and 1.
struct FivePieces {
  std::array<float, 6> floats{0, 1, 2, 3, 4, 5};
  std::array<std::span<float>, 5> pieces{std::span(floats).subspan(0, 2), std::span(floats).subspan(2, 0),
                                         std::span(floats).subspan(2, 3), std::span(floats).subspan(5, 0),
                                         std::span(floats).subspan(5, 1)};
};

std::vector<float> gathered(const Pieces& pieces, std::size_t first, std::size_t count) {
  std::vector<float> all(count, -1.0F);
  pieces.for_each_run(first, count, [&](const Pieces::Run& run) {
    for (std::size_t i = 0; i < run.count; ++i) all[run.position + i] = pieces.at(run)[i];
  });
  return all;
}

TEST(Pieces, EveryRangeIsThatOfTheWhole) {
  const FivePieces five;
  const Pieces pieces(five.pieces);
  EXPECT_EQ(pieces.floats(), 6U);
  for (std::size_t first = 0; first <= 6; ++first) {
    for (std::size_t count = 0; first + count <= 6; ++count) {
      const std::vector<float> expected(five.floats.begin() + static_cast<std::ptrdiff_t>(first),
                                        five.floats.begin() + static_cast<std::ptrdiff_t>(first + count));
      EXPECT_EQ(gathered(pieces, first, count), expected) << first << ", " << count;
    }
  }
}

TEST(Pieces, RunsAreNeverEmpty) {
  const FivePieces five;
  std::vector<std::size_t> visited;
  Pieces(five.pieces).for_each_run(0, 6, [&](const Pieces::Run& run) { visited.push_back(run.piece); });
  EXPECT_THAT(visited, ElementsAre(0, 2, 4));
}

TEST(Pieces, SideBySideIsWhatLiesInOnePiece) {
  FivePieces five;
  const Pieces pieces(five.pieces);
  EXPECT_EQ(pieces.side_by_side(0, 2), &five.floats[0]);
  EXPECT_EQ(pieces.side_by_side(3, 2), &five.floats[3]);
  EXPECT_EQ(pieces.side_by_side(5, 1), &five.floats[5]);
  EXPECT_EQ(pieces.side_by_side(1, 2), nullptr);
  EXPECT_EQ(pieces.side_by_side(4, 2), nullptr);
}

TEST(Pieces, NoneAreNoFloats) {
  const Pieces pieces({});
  EXPECT_EQ(pieces.floats(), 0U);
  EXPECT_THAT(gathered(pieces, 0, 0), ElementsAre());
}

}  // namespace
}  // namespace spillway
