#include <gtest/gtest.h>

#include "tests/tuner/requests.h"

namespace spillway {
namespace {

TEST(Threshold, IsNeverSlowerThanTflmsAndFitsWhereverItFits) {
  int both = 0, only_threshold = 0, faster = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    const Trace trace = chain_trace(random_chain(seed));
    for (const double share : {0.95, 0.8, 0.65, 0.5}) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " share " << share);
      const Bytes capacity = share_of_footprint(trace, share);
      TuneRequest request = request_for(trace, "threshold", capacity);
      request.evaluations = 60;
      const auto ours = tune(request);
      const auto theirs = tune(request_for(trace, "tflms", capacity));
      if (!fits(ours)) {
        EXPECT_FALSE(fits(theirs));
        continue;
      }
      if (!fits(theirs)) {
        ++only_threshold;
        continue;
      }
      ++both;
      const Seconds our_step = std::get<Tuned>(ours).times.step, their_step = std::get<Tuned>(theirs).times.step;
      EXPECT_LE(our_step, (1 + 1e-9) * their_step);  // as far as sums of doubles can tell
      if (our_step < 0.99 * their_step) ++faster;
    }
  }
  // The comparison means something: both kinds of cases are there.
  EXPECT_GT(both, 20);
  EXPECT_GT(only_threshold, 20);
  EXPECT_GT(faster, 5);
}

TEST(Threshold, KeepsEverythingWhereEverythingFits) {
  const Trace trace = chain_trace(random_chain(1));
  const auto outcome = tune(request_for(trace, "threshold", footprint(trace, 1)));
  ASSERT_TRUE(fits(outcome));
  EXPECT_TRUE(std::get<Tuned>(outcome).plan.swaps.empty());
  EXPECT_EQ(std::get<Tuned>(outcome).plan.knobs.at("sync_mode"), "off");
}

TEST(Threshold, HidesTheCopiesBehindComputeWhereThereIsTime) {
  // 12 layers of 1 MiB; one forward op takes 1 ms, a backward op 2 ms. A copy takes 0.1 ms: wherever an activation
  // leaves, many ops pass until it is back, so a step should take what its ops take (12 * 3 ms and the loss's 0.1 ms)
  // and what nothing can hide: image and labels come in, the loss leaves (together below 0.01 ms).
  ChainDescription chain;
  chain.layers.assign(12, {.out = 1_MiB});
  chain.link = 1_MiB / Seconds{1e-4};
  const Trace trace = chain_trace(chain);
  const auto outcome = tune(request_for(trace, "threshold", share_of_footprint(trace, 0.5)));
  ASSERT_TRUE(fits(outcome));
  EXPECT_GT(std::get<Tuned>(outcome).plan.swaps.size(), 3U);
  EXPECT_LT(std::get<Tuned>(outcome).times.step.value, 36.1e-3 + 0.01e-3);
}

TEST(Threshold, SwapsNoMoreThanIsNeeded) {
  // At the loss and at l11.backward 13 MiB are live (12 outs and a gradient; 11 outs and two), everywhere else at least
  // 1 MiB less. So one out must leave and the step takes no longer with one than with more.
  ChainDescription chain;
  chain.layers.assign(12, {.out = 1_MiB});
  chain.link = 1_MiB / Seconds{1e-4};
  const Trace trace = chain_trace(chain);
  const auto outcome = tune(request_for(trace, "threshold", footprint(trace, 1) - 1_MiB));
  ASSERT_TRUE(fits(outcome));
  int activations = 0;
  for (const Swap& swap : std::get<Tuned>(outcome).plan.swaps) {
    activations += trace.graph.buffers[swap.gap.buffer].role == Role::activation ? 1 : 0;
  }
  EXPECT_EQ(activations, 1);
}

TEST(Threshold, MovesParametersAndOptimizerStateWhereActivationsAreNotEnough) {
  // Per layer 1 MiB of weights, as much optimizer state and gradient, 64 bytes of activations. Everything but one
  // layer's operands can be away at any time.
  ChainDescription chain;
  chain.layers.assign(8, {.out = 64_B, .weights = 1_MiB});
  const Trace trace = chain_trace(chain);
  const auto outcome = tune(request_for(trace, "threshold", 4_MiB));
  ASSERT_TRUE(fits(outcome));
  EXPECT_EQ(std::get<Tuned>(outcome).plan.knobs.at("variables"), "yes");
  // At an update its weights, gradient and state must be there, 3 MiB, and all else may be away.
  const auto least = tune(request_for(trace, "threshold", 3_MiB - 64_B));
  ASSERT_FALSE(fits(least));
  EXPECT_EQ(std::get<NothingFits>(least).smallest_capacity, 3_MiB);
}

TEST(Threshold, StopsAfterAsManyEvaluationsAsAllowed) {
  ChainDescription chain;
  chain.layers.assign(12, {.out = 1_MiB});
  const Trace trace = chain_trace(chain);
  TuneRequest request = request_for(trace, "threshold", share_of_footprint(trace, 0.6));
  request.evaluations = 30;
  std::int64_t last = 0;
  request.progress = [&](const TuneProgress& progress) {
    EXPECT_GE(progress.evaluations, last);
    last = progress.evaluations;
    EXPECT_EQ(progress.limit, 30);
    EXPECT_TRUE(progress.best);
  };
  ASSERT_TRUE(fits(tune(request)));
  EXPECT_GT(last, 5);
  EXPECT_LE(last, 30);
}

}  // namespace
}  // namespace spillway
