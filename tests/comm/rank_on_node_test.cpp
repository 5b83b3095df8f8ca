#include "comm/rank_on_node.h"

#include <gtest/gtest.h>

#include <array>

#include "comm/threads.h"

namespace spillway {
namespace {

TEST(RankOnNode, CountsTheRanksBeforeOnTheSameNode) {
  constexpr std::array kNodes{"a", "b", "a", "a", "b"};
  constexpr std::array kExpected{0, 0, 1, 2, 1};
  run_ranks(5, [&](Communicator& ranks) {
    const auto rank = static_cast<std::size_t>(ranks.rank());
    EXPECT_EQ(rank_on_node(ranks, kNodes[rank]), kExpected[rank]) << "rank " << rank;
  });
}

}  // namespace
}  // namespace spillway
