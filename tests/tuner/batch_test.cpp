#include "tuner/batch.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/tuner/requests.h"

namespace spillway {
namespace {

/// Ten layers over a slow link, profiled at batches 1, 2, 4 and 8. Half of a batch's time is fixed, so that a larger
/// batch is better as long as it needn't swap.
Trace batches() {
  ChainDescription chain;
  chain.layers.assign(10, {.out = 1_MiB});
  chain.batches = {1, 2, 4, 8};
  chain.link = 1_MiB / Seconds{20e-3};
  Trace trace = chain_trace(chain);
  for (BatchCosts& costs : trace.batches) {
    for (KernelCost& kernel : costs.kernels) kernel.seconds += Seconds{2e-3};
    for (KernelCost& kernel : costs.kernels) kernel.seconds_while_copying = kernel.seconds;
  }
  return trace;
}

TEST(TuneBatches, PrefersMoreSamplesPerSecondToALargerBatch) {
  // Batch 4 fits in memory, batch 8 only with copies of which each takes as long as many ops.
  const Trace trace = batches();
  const BatchCurve curve = tune_batches(request_for(trace, "threshold", footprint(trace, 4)));
  ASSERT_EQ(curve.points.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const BatchPoint& point = curve.points[i];
    EXPECT_EQ(point.batch, std::int64_t{1} << i);
    EXPECT_TRUE(point.fits);
    EXPECT_EQ(point.footprint, footprint(trace, point.batch));
    EXPECT_DOUBLE_EQ(point.samples_per_second, static_cast<double>(point.batch) / point.step.value);
  }
  EXPECT_EQ(curve.largest, 3U);
  EXPECT_EQ(curve.fastest, 2U);
  EXPECT_EQ(std::get<Tuned>(curve.result).plan.batch, 4);
  EXPECT_GT(curve.points[2].samples_per_second, curve.points[1].samples_per_second);
  EXPECT_GT(curve.points[2].samples_per_second, curve.points[3].samples_per_second);
}

TEST(TuneBatches, LeavesOutWhatDoesNotFit) {
  const Trace trace = batches();
  const BatchCurve curve = tune_batches(request_for(trace, "in-memory", footprint(trace, 2)));
  EXPECT_EQ(curve.largest, 1U);
  EXPECT_EQ(curve.fastest, 1U);
  EXPECT_FALSE(curve.points[2].fits);
  EXPECT_EQ(curve.points[2].smallest_capacity, footprint(trace, 4));
}

TEST(TuneBatches, AnswersForTheSmallestBatchWhenNoneFits) {
  const Trace trace = batches();
  const BatchCurve curve = tune_batches(request_for(trace, "in-memory", footprint(trace, 1) - 64_B));
  EXPECT_EQ(curve.largest, std::nullopt);
  EXPECT_EQ(curve.fastest, std::nullopt);
  EXPECT_EQ(std::get<NothingFits>(curve.result).smallest_capacity, footprint(trace, 1));
}

TEST(TuneBatches, NeedsAProfiledBatch) {
  Trace trace = batches();
  const TuneRequest request = request_for(trace, "in-memory", 1_GiB);
  trace.batches.clear();
  try {
    static_cast<void>(tune_batches(request));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "the trace of 'chain' has no batch; record it with 'spillway profile'");
  }
}

}  // namespace
}  // namespace spillway
