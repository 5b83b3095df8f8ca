#include "tuner/tune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/compute_stream.h"
#include "core/error.h"
#include "core/host_staging.h"
#include "tests/tuner/requests.h"
#include "verify/verify.h"

namespace spillway {
namespace {

using testing::IsEmpty;

std::string error_of(const TuneRequest& request) {
  try {
    static_cast<void>(tune(request));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input);
    return error.what();
  }
  return "no error";
}

TEST(Tune, SaysWhichPoliciesThereAreWhenThereIsNoSuchOne) {
  const Trace trace = chain_trace(four_layers());
  EXPECT_EQ(
      error_of(request_for(trace, "treshold", 1_GiB)),
      "policy 'treshold': there is no such policy; did you mean 'threshold'?; there are in-memory, swap-all, tflms, "
      "threshold");
  EXPECT_EQ(error_of(request_for(trace, "vdnn-all", 1_GiB)),
            "policy 'vdnn-all': there is no such policy; there are in-memory, swap-all, tflms, threshold");
}

TEST(Tune, ListsEveryPolicyItKnows) {
  const Trace trace = chain_trace(four_layers());
  ASSERT_EQ(policies().size(), 4U);
  for (const PolicyDescription& policy : policies()) {
    SCOPED_TRACE(policy.name);
    EXPECT_FALSE(policy.help.empty());
    EXPECT_FALSE(policy.source.empty());
    EXPECT_TRUE(fits(tune(request_for(trace, policy.name, 1_GiB))));
  }
}

TEST(Tune, RefusesABatchThatWasNotProfiled) {
  const Trace trace = chain_trace(four_layers());
  TuneRequest request = request_for(trace, "in-memory", 1_GiB);
  request.batch = 3;
  EXPECT_EQ(error_of(request), "batch 3 wasn't profiled; the trace of 'chain' has 1; profile it with --batch 3");
}

TEST(Tune, GivesPlansWithTheirPrediction) {
  const Trace trace = chain_trace(four_layers());
  const TuneRequest request = request_for(trace, "threshold", share_of_footprint(trace, 0.8));
  const auto outcome = tune(request);
  ASSERT_TRUE(fits(outcome));
  const Tuned& tuned = std::get<Tuned>(outcome);
  ASSERT_TRUE(tuned.plan.prediction);
  EXPECT_EQ(tuned.plan.prediction->footprint, footprint(trace, 1));
  EXPECT_EQ(tuned.plan.prediction->arena, tuned.schedule.arena_bytes);
  EXPECT_EQ(tuned.plan.prediction->host, tuned.schedule.host_bytes);
  EXPECT_EQ(tuned.plan.prediction->step, step_times(trace, tuned.schedule, trace.machine).step);
  EXPECT_EQ(tuned.plan.policy, "threshold");
  EXPECT_EQ(tuned.plan.capacity, request.capacity);
  EXPECT_EQ(tuned.plan.platform, trace.machine);
  EXPECT_EQ(tuned.schedule.plan, tuned.plan);
  // The plan is what the schedule was lowered from.
  EXPECT_EQ(std::get<Schedule>(lower(trace, tuned.plan)), tuned.schedule);
}

TEST(Tune, GivesTheSamePlanForTheSameRequest) {
  const Trace trace = chain_trace(random_chain(7));
  for (const PolicyDescription& policy : policies()) {
    SCOPED_TRACE(policy.name);
    const TuneRequest request = request_for(trace, policy.name, share_of_footprint(trace, 0.8));
    const auto first = tune(request), second = tune(request);
    ASSERT_EQ(fits(first), fits(second));
    if (!fits(first)) continue;
    EXPECT_EQ(std::get<Tuned>(first).schedule, std::get<Tuned>(second).schedule);
  }
}

TEST(InMemory, FitsInItsFootprintAndNotInOneByteLess) {
  const Trace trace = chain_trace(random_chain(3));
  const Bytes all = footprint(trace, 1);
  const auto fitting = tune(request_for(trace, "in-memory", all));
  ASSERT_TRUE(fits(fitting));
  EXPECT_THAT(std::get<Tuned>(fitting).plan.swaps, IsEmpty());
  const auto not_fitting = tune(request_for(trace, "in-memory", all - 1_B));
  ASSERT_FALSE(fits(not_fitting));
  EXPECT_EQ(std::get<NothingFits>(not_fitting).smallest_capacity, all);
  EXPECT_EQ(std::get<NothingFits>(not_fitting).shortfall.needed, all);
}

TEST(SwapAll, SwapsEveryBufferInEveryGap) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Trace trace = chain_trace(random_chain(seed));
    const auto outcome = tune(request_for(trace, "swap-all", 2 * footprint(trace, 1)));
    ASSERT_TRUE(fits(outcome));
    const Graph& graph = trace.graph;
    std::vector<Gap> expected = gaps(graph, uses(graph, compute_stream(graph, {}), 1), graph.ops.size());
    std::vector<Gap> swapped;
    for (const Swap& swap : std::get<Tuned>(outcome).plan.swaps) swapped.push_back(swap.gap);
    EXPECT_THAT(swapped, testing::UnorderedElementsAreArray(expected));
  }
}

TEST(SwapAll, BeginsItsSwapInsEquallyFarAhead) {
  // Copies take as long as three ops, so ahead 0 stalls at every reader and something farther is faster.
  ChainDescription chain = four_layers();
  chain.layers.assign(10, {.out = 1_MiB});
  chain.link = 1_MiB / Seconds{3e-3};
  const Trace trace = chain_trace(chain);
  const auto outcome = tune(request_for(trace, "swap-all", 2 * footprint(trace, 1)));
  ASSERT_TRUE(fits(outcome));
  const Plan& plan = std::get<Tuned>(outcome).plan;
  const auto ahead = static_cast<std::uint32_t>(std::stoul(plan.knobs.at("swapin_ahead")));
  EXPECT_GT(ahead, 0U);
  for (const Swap& swap : plan.swaps) {
    if (!swap.gap.after.valid() || !swap.gap.before.valid() || swap.gap.wraps) continue;
    EXPECT_EQ(swap.release, swap.gap.after);
    EXPECT_EQ(swap.begin.value,
              std::max(swap.gap.after.value + 1, swap.gap.before.value - std::min(ahead, swap.gap.before.value)));
  }
}

class SmallestCapacity : public testing::TestWithParam<std::string> {};

TEST_P(SmallestCapacity, WorksAndALittleLessDoesNot) {
  int found = 0;
  for (unsigned seed = 0; seed < 15; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const Trace trace = chain_trace(random_chain(seed));
    const auto outcome = tune(request_for(trace, GetParam(), share_of_footprint(trace, 0.1)));
    if (fits(outcome)) continue;
    const NothingFits& none = std::get<NothingFits>(outcome);
    EXPECT_GT(none.shortfall.needed, none.shortfall.capacity);
    ASSERT_TRUE(none.smallest_capacity);
    EXPECT_TRUE(fits(tune(request_for(trace, GetParam(), *none.smallest_capacity))));
    const Bytes less{none.smallest_capacity->value - (none.smallest_capacity->value + 999) / 1000};
    EXPECT_FALSE(fits(tune(request_for(trace, GetParam(), Bytes{less.value / 64 * 64}))));
    ++found;
  }
  EXPECT_GT(found, 8);
}

INSTANTIATE_TEST_SUITE_P(Policies, SmallestCapacity, testing::Values("in-memory", "swap-all", "tflms", "threshold"),
                         [](const auto& row) {
                           return std::string(row.param == "in-memory"  ? "InMemory"
                                              : row.param == "swap-all" ? "SwapAll"
                                              : row.param == "tflms"    ? "Tflms"
                                                                        : "Threshold");
                         });

TEST(HostCapacity, IsObeyedAndMayLeaveNoPlan) {
  const Trace trace = chain_trace(four_layers());
  TuneRequest request = request_for(trace, "threshold", share_of_footprint(trace, 0.7));
  const auto free = tune(request);
  ASSERT_TRUE(fits(free));
  EXPECT_GE(std::get<Tuned>(free).schedule.host_bytes, 1_MiB);
  // Image 64 bytes, labels and loss one alignment each: 192 bytes hold what must be there, and nothing more, but for
  // what the executor stages. What can leave without a slot of its own is the image, 64 bytes.
  const Bytes staged = host_staging(trace, std::get<Tuned>(free).schedule).transfers;
  request.host_capacity = 192_B + staged;
  const auto bound = tune(request);
  ASSERT_FALSE(fits(bound));
  ASSERT_TRUE(std::get<NothingFits>(bound).smallest_capacity);
  EXPECT_GE(*std::get<NothingFits>(bound).smallest_capacity, footprint(trace, 1) - 128_B);
  request.host_capacity = 191_B + staged;
  const auto impossible = tune(request);
  ASSERT_FALSE(fits(impossible));
  EXPECT_TRUE(std::get<NothingFits>(impossible).shortfall.host);
  EXPECT_EQ(std::get<NothingFits>(impossible).smallest_capacity, std::nullopt);
}

TEST(Tune, GivesSchedulesThatVerify) {
  int swapping = 0;
  for (unsigned seed = 0; seed < 30; ++seed) {
    const Trace trace = chain_trace(random_chain(seed));
    for (const PolicyDescription& policy : policies()) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " policy " << policy.name);
      const auto outcome = tune(request_for(trace, policy.name, share_of_footprint(trace, 0.75)));
      if (!fits(outcome)) continue;
      const Tuned& tuned = std::get<Tuned>(outcome);
      EXPECT_THAT(verify(trace, tuned.schedule), IsEmpty());
      EXPECT_LE(tuned.schedule.arena_bytes, tuned.plan.capacity);
      if (!tuned.plan.swaps.empty()) ++swapping;
    }
  }
  EXPECT_GT(swapping, 25);
}

}  // namespace
}  // namespace spillway
