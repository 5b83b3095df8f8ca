#include "tuner/problem.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/tuner/requests.h"
#include "tuner/stretch.h"

namespace spillway {
namespace {

/// What `lower` finds for these decisions.
Bytes lowered_peak(const Problem& problem, const std::vector<Away>& aways) {
  Plan plan = problem.plan(problem.prefetching(aways), {});
  plan.capacity = 1024_GiB;
  return std::get<Schedule>(lower(problem.trace(), plan, Effort::quick)).peak_live_bytes;
}

std::vector<std::size_t> some_stretches(const Problem& problem, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < problem.stretches().size(); ++i) {
    if (problem.stretches()[i].can_be_away && random() % 3 != 0) chosen.push_back(i);
  }
  return chosen;
}

TEST(Problem, KnowsThePeakThatLoweringFinds) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Trace trace = chain_trace(random_chain(seed));
    const TuneRequest request = request_for(trace, "threshold", share_of_footprint(trace, 0.7));
    const Problem problem(request);
    EXPECT_EQ(problem.peak({}), lowered_peak(problem, {}));
    const std::vector<Away> shortest = shortest_stays(problem, some_stretches(problem, seed));
    EXPECT_EQ(problem.peak(shortest), lowered_peak(problem, shortest));
  }
}

TEST(StretchStays, NeverHasMoreLiveThanTheBudget) {
  int stretched = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Trace trace = chain_trace(random_chain(seed));
    const TuneRequest request = request_for(trace, "threshold", share_of_footprint(trace, 1));
    const Problem problem(request);
    const std::vector<std::size_t> chosen = some_stretches(problem, seed);
    const Bytes least = problem.peak(shortest_stays(problem, chosen));
    for (const Linger linger : {Linger::none, Linger::copied, Linger::memory}) {
      const Bytes budget = least + 1_KiB * (seed % 8);
      const auto aways = stretch_stays(problem, chosen, {.budget = budget, .ahead = seed % 5, .linger = linger});
      ASSERT_TRUE(aways);
      EXPECT_LE(problem.peak(*aways), budget);
      EXPECT_EQ(problem.peak(*aways), lowered_peak(problem, *aways));  // and every decision is legal
      if (problem.peak(*aways) > least) ++stretched;
      EXPECT_FALSE(stretch_stays(problem, chosen, {.budget = least - 1_B, .linger = linger}));
    }
  }
  EXPECT_GT(stretched, 50);
}

TEST(StretchStays, KeepsWhatNeedNotLeave) {
  const Trace trace = chain_trace(four_layers());
  const TuneRequest request = request_for(trace, "threshold", share_of_footprint(trace, 1));
  const Problem problem(request);
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < problem.stretches().size(); ++i) all.push_back(i);
  const auto aways = stretch_stays(problem, all, {.budget = problem.peak({})});
  ASSERT_TRUE(aways);
  for (const Away& away : *aways) EXPECT_FALSE(problem.stretches()[away.stretch].can_be_away);  // the loss's way out
}

TEST(StretchStays, LingersUntilTheCopyIsLikelyThrough) {
  // Out 0 (1 MiB) is written at position 0, which ends at 1 ms, and read at 1. At 1 MiB in 1.9 ms its copy runs from
  // 1 ms to 2.9 ms: through when position 2 ends, at 3 ms. So it stays up to 2, not only up to its use at 1.
  ChainDescription chain = four_layers();
  chain.link = 1_MiB / Seconds{1.9e-3};
  const Trace trace = chain_trace(chain);
  const TuneRequest request = request_for(trace, "threshold", share_of_footprint(trace, 1));
  const Problem problem(request);
  const BufferId out = buffer_with_name(trace.graph, "l0.out");
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < problem.stretches().size(); ++i) {
    if (problem.stretches()[i].gap.buffer == out) chosen.push_back(i);
  }
  ASSERT_EQ(chosen.size(), 1U);
  const auto lingering = stretch_stays(problem, chosen, {.budget = problem.peak({}), .ahead = 0});
  ASSERT_TRUE(lingering);
  ASSERT_EQ(lingering->size(), 1U);
  EXPECT_EQ(lingering->front().release, 2);
  const auto leaving = stretch_stays(problem, chosen, {.budget = problem.peak({}), .ahead = 0, .linger = Linger::none});
  ASSERT_TRUE(leaving);
  EXPECT_EQ(leaving->front().release, 1);
}

}  // namespace
}  // namespace spillway
