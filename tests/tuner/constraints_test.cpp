#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/tuner/requests.h"

namespace spillway {
namespace {

using testing::Contains;
using testing::Not;

std::set<std::string> swapped_buffers(const Trace& trace, const std::variant<Tuned, NothingFits>& outcome) {
  std::set<std::string> names;
  for (const Swap& swap : std::get<Tuned>(outcome).plan.swaps) names.insert(trace.graph.buffers[swap.gap.buffer].name);
  return names;
}

TEST(Constraints, KeptBuffersAreNeverSwapped) {
  const Trace trace = chain_trace(four_layers());
  for (const char* policy : {"swap-all", "tflms", "threshold"}) {
    SCOPED_TRACE(policy);
    TuneRequest request = request_for(trace, policy, share_of_footprint(trace, 0.85));
    ASSERT_TRUE(fits(tune(request)));
    EXPECT_THAT(swapped_buffers(trace, tune(request)), Contains("l0.out"));
    request.constraints.keep = {"l0.*"};
    const auto outcome = tune(request);
    if (!fits(outcome)) continue;  // tflms doesn't know of constraints; that it may give up is fine
    EXPECT_THAT(swapped_buffers(trace, outcome), Not(Contains("l0.out")));
  }
}

TEST(Constraints, AskedSwapsHappenInEveryGapUnderEveryPolicy) {
  // Out 1 has two readers far from each other: layer 5's skip and the backward passes. Three gaps: 1, 2 -> 5 forward,
  // 5 forward -> 5 backward, 5 backward -> 2 backward.
  ChainDescription chain;
  chain.layers.assign(8, {.out = 1_MiB});
  chain.layers[5].skip_from = 1;
  const Trace trace = chain_trace(chain);
  const BufferId buffer = buffer_with_name(trace.graph, "l1.out");
  for (const PolicyDescription& policy : policies()) {
    SCOPED_TRACE(policy.name);
    TuneRequest request = request_for(trace, policy.name, 2 * footprint(trace, 1));
    request.constraints.swap = {"l1.out"};
    const auto outcome = tune(request);
    ASSERT_TRUE(fits(outcome));
    int swaps = 0;
    for (const Swap& swap : std::get<Tuned>(outcome).plan.swaps) swaps += swap.gap.buffer == buffer ? 1 : 0;
    EXPECT_EQ(swaps, 3);
  }
}

TEST(Constraints, AskedSwapsLetInMemoryDoWithLess) {
  const Trace trace = chain_trace(four_layers());
  TuneRequest request = request_for(trace, "in-memory", footprint(trace, 1) - 64_B);
  EXPECT_FALSE(fits(tune(request)));
  request.constraints.swap = {"l0.out"};
  EXPECT_TRUE(fits(tune(request)));
}

struct BadConstraint {
  std::string name;
  Constraints constraints;
  std::string error;
};

class BadConstraints : public testing::TestWithParam<BadConstraint> {};

TEST_P(BadConstraints, AreRefused) {
  const Trace trace = chain_trace(four_layers());
  TuneRequest request = request_for(trace, "threshold", 1_GiB);
  request.constraints = GetParam().constraints;
  try {
    static_cast<void>(tune(request));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input);
    EXPECT_EQ(error.what(), GetParam().error);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, BadConstraints,
    testing::Values(BadConstraint{.name = "Recompute",
                                  .constraints = {.keep = {}, .swap = {}, .recompute = {"l0.out"}},
                                  .error = "--recompute 'l0.out': no policy recomputes yet; use --keep or --swap"},
                    BadConstraint{
                        .name = "NoSuchBuffer",
                        .constraints = {.keep = {"l1.oui"}, .swap = {}, .recompute = {}},
                        .error = "--keep 'l1.oui': no buffer of 'chain' has such a name; did you mean 'l1.out'?"},
                    BadConstraint{.name = "NothingNear",
                                  .constraints = {.keep = {}, .swap = {"decoder.*"}, .recompute = {}},
                                  .error = "--swap 'decoder.*': no buffer of 'chain' has such a name"},
                    BadConstraint{.name = "Both",
                                  .constraints = {.keep = {"l0.*"}, .swap = {"*.out"}, .recompute = {}},
                                  .error = "--swap '*.out': buffer 'l0.out' is to be kept and swapped both"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace spillway
