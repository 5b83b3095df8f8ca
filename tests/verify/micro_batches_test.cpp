#include "verify/micro_batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "core/planned_step.h"
#include "tests/support/random_step.h"
#include "verify/findings.h"

namespace spillway {
namespace {

constexpr std::int64_t kPasses = 3;

std::vector<Violation> violations_of(const Trace& step) {
  Schedule schedule;
  schedule.plan.micro_batches = kPasses;
  Findings findings(step, schedule);
  check_micro_batches(step, schedule, findings);
  return findings.take();
}

/// The first accumulation of pass `pass`, from 1, that an update sees; the last one of all is that of the last pass.
OpId accumulation_of(const Graph& graph, std::int64_t pass) {
  for (const OpId id : graph.ops.ids()) {
    const Op& op = graph.ops[id];
    if (std::holds_alternative<Accumulate>(op.attributes) && op.name.ends_with("@" + std::to_string(pass + 1)))
      return id;
  }
  return {};
}

void insert_behind(Trace& step, OpId where, const Op& op) {
  IdVector<OpId, Op> ops;
  for (const OpId id : step.graph.ops.ids()) {
    ops.push_back(step.graph.ops[id]);
    if (id == where) ops.push_back(op);
  }
  step.graph.ops = ops;
}

struct Mistake {
  std::string name;
  std::function<void(Trace&)> make;
};

class MicroBatchMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(MicroBatchMistakes, BreakTheRule) {
  int tried = 0;
  for (unsigned seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Trace step = planned_step(random_step(seed), kPasses, std::nullopt);
    EXPECT_THAT(violations_of(step), testing::IsEmpty());
    if (!accumulation_of(step.graph, 1).valid()) continue;  // every parameter is frozen
    GetParam().make(step);
    const std::vector<Violation> violations = violations_of(step);
    ASSERT_FALSE(violations.empty());
    for (const Violation& violation : violations)
      EXPECT_EQ(violation.rule, Rule::gradients_hold_every_micro_batch) << violation.text;
    ++tried;
  }
  EXPECT_GT(tried, 10);
}

const Mistake kMistakes[] = {
    {"TheSumIsNoMean",
     [](Trace& step) { step.graph.ops[accumulation_of(step.graph, 2)].attributes = Accumulate{.scale = 1}; }},
    {"ScaledTooEarly",
     [](Trace& step) { step.graph.ops[accumulation_of(step.graph, 1)].attributes = Accumulate{.scale = 0.5}; }},
    {"APassIsOverwritten", [](Trace& step) { step.graph.ops[accumulation_of(step.graph, 1)].attributes = Opaque{}; }},
    {"APassIsLeftOut",
     [](Trace& step) {
       Op& op = step.graph.ops[accumulation_of(step.graph, 1)];
       op.inputs.clear();
       op.outputs.clear();
     }},
    {"APassIsAddedTwice",
     [](Trace& step) {
       const OpId id = accumulation_of(step.graph, 1);
       insert_behind(step, id, step.graph.ops[id]);
     }},
    {"ASumIsAddedToItself",
     [](Trace& step) {
       Op& op = step.graph.ops[accumulation_of(step.graph, 1)];
       op.inputs[1] = op.inputs[0];
     }},
};

INSTANTIATE_TEST_SUITE_P(Each, MicroBatchMistakes, testing::ValuesIn(kMistakes),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace spillway
