#include "comm/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace spillway {
namespace {

using testing::HasSubstr;

/// Sums again and again, until that throws.
void sum_for_ever(Communicator& communicator) {
  std::vector<float> floats(1000, 1.0F);
  const std::span<float> piece(floats);
  while (true) communicator.all_reduce_sum({&piece, 1}, 1);
}

/// What `run_ranks` throws.
template <typename Body>
std::string thrown_by(int ranks, Body body) {
  try {
    run_ranks(ranks, body);
  } catch (const std::exception& exception) {
    return exception.what();
  }
  return "nothing";
}

TEST(RunRanks, NobodyLeavesABarrierBeforeAllHaveEntered) {
  constexpr int kRanks = 5, kRounds = 200;
  std::atomic<int> entered = 0;
  run_ranks(kRanks, [&](Communicator& communicator) {
    for (int round = 1; round <= kRounds; ++round) {
      ++entered;
      communicator.barrier();
      EXPECT_GE(entered.load(), round * kRanks);
    }
  });
}

TEST(RunRanks, ARankThatThrowsEndsTheOthersCallsAndIsRethrown) {
  for (int thrower = 0; thrower < 3; ++thrower) {
    std::atomic<int> woken = 0;
    const auto body = [&](Communicator& communicator) {
      communicator.barrier();
      if (communicator.rank() == thrower) throw machine_error("disk full");
      try {
        sum_for_ever(communicator);
      } catch (const Error& error) {
        EXPECT_EQ(error.what(), "rank " + std::to_string(thrower) + " failed: disk full");
        EXPECT_EQ(error.code(), ExitCode::machine);
        ++woken;
        throw;
      }
    };
    EXPECT_EQ(thrown_by(3, body), "disk full");
    EXPECT_EQ(woken, 2);
  }
}

TEST(RunRanks, TheLowestRankOfThoseThatThrowOnTheirOwnIsRethrown) {
  std::atomic<int> at_the_throw = 0;
  const auto body = [&](Communicator& communicator) {
    if (communicator.rank() == 0) sum_for_ever(communicator);
    ++at_the_throw;
    while (at_the_throw < 3) std::this_thread::yield();
    throw input_error("rank " + std::to_string(communicator.rank()) + "'s own");
  };
  EXPECT_EQ(thrown_by(4, body), "rank 1's own");
}

TEST(RunRanks, AThrowEndsCallsOnDuplicatesInOtherThreads) {
  const auto body = [](Communicator& communicator) {
    const auto network = communicator.duplicate();
    std::atomic<bool> ended = false;
    std::jthread reducing([&] {
      EXPECT_THROW(sum_for_ever(*network), Error);
      ended = true;
    });
    if (communicator.rank() == 1) {
      communicator.abort(ExitCode::machine);  // before the thread is joined
      throw machine_error("out of memory");
    }
    communicator.barrier();
    communicator.barrier();
  };
  EXPECT_EQ(thrown_by(3, body), "out of memory");
}

TEST(RunRanks, AnAbortEndsAllRanksWithItsExitCode) {
  const auto body = [](Communicator& communicator) {
    if (communicator.rank() == 2) {
      communicator.abort(ExitCode::no);
    } else {
      sum_for_ever(communicator);
    }
  };
  try {
    run_ranks(3, body);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "rank 2 ended all ranks with exit code 1");
    EXPECT_EQ(error.code(), ExitCode::no);
  }
}

TEST(RunRanks, WaitingForARankThatHasReturnedIsABug) {
  const auto body = [](Communicator& communicator) {
    if (communicator.rank() != 1) communicator.barrier();
  };
  EXPECT_THROW(run_ranks(2, body), Bug);
  EXPECT_EQ(thrown_by(2, body), "rank 0 waits for rank 1, which has ended");
}

TEST(RunRanks, ARankMayReturnWhileOthersGoOnAlone) {
  run_ranks(3, [](Communicator& communicator) {
    communicator.barrier();
    if (communicator.rank() == 0) return;
    EXPECT_GT(communicator.size(), communicator.rank());
  });
}

TEST(RunRanks, WhatIsNoExceptionIsReportedToo) {
  EXPECT_THROW(run_ranks(2,
                         [](Communicator& communicator) {
                           if (communicator.rank() == 1) throw 5;
                           communicator.barrier();
                         }),
               int);
}

TEST(RunRanks, NeedsARank) {
  EXPECT_THROW(run_ranks(0, [](Communicator&) {}), Bug);
}

TEST(Broadcast, NeedsARootThatExists) {
  EXPECT_THAT(thrown_by(2, [](Communicator& communicator) { communicator.broadcast({}, 2); }),
              HasSubstr("a broadcast from rank 2 of 2"));
}

}  // namespace
}  // namespace spillway
