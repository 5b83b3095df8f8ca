#include "comm/meeting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "comm/threads.h"

namespace spillway {
namespace {

TEST(RankMeeting, IsTheCommunicator) {
  run_ranks(3, [](Communicator& ranks) {
    const RankMeeting meeting = meeting_of(ranks);
    EXPECT_EQ(meeting.rank, ranks.rank());
    EXPECT_EQ(meeting.ranks, 3);
    std::array<std::byte, 2> bytes{std::byte(ranks.rank()), std::byte(7)};
    meeting.broadcast(bytes);
    EXPECT_EQ(bytes[0], std::byte(0));
    EXPECT_THAT(meeting.all_gather(std::to_string(ranks.rank())), testing::ElementsAre("0", "1", "2"));
  });
}

TEST(RequireOwnUnits, LetsNamelessHardwareBeShared) {
  run_ranks(3, [](Communicator& ranks) {
    EXPECT_NO_THROW(require_own_units(ranks, ranks.rank() == 1 ? "GPU-1" : "", "cpu"));
  });
}

TEST(RequireOwnUnits, NamesTheFirstTwoRanksThatShare) {
  run_ranks(4, [](Communicator& ranks) {
    // Ranks 1 and 3, on GPUs that each of them calls otherwise.
    const std::string unit = ranks.rank() % 2 == 1 ? "GPU-1" : "GPU-0" + std::to_string(ranks.rank());
    try {
      require_own_units(ranks, unit, "cuda:" + std::to_string(ranks.rank()));
      ADD_FAILURE() << "expected a refusal on rank " << ranks.rank();
    } catch (const AgreedError& error) {
      EXPECT_THAT(error.what(), testing::StartsWith("ranks 1 and 3 both run on cuda:3 (GPU-1), expected a GPU of its "
                                                    "own for each rank; "));
    }
  });
}

}  // namespace
}  // namespace spillway
