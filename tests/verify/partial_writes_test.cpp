#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/verify/mutate.h"
#include "tests/verify/toy.h"

// A step of which the update comes in two halves: low and high write 32 bytes of w each.

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Trace sliced_trace() {
  Trace trace;
  Graph& graph = trace.graph;
  const BufferId w = graph.buffers.push_back({"w", Role::parameter, {64}, {0}, std::nullopt});
  const TensorId low = graph.tensors.push_back({"low", w, {0}, ElementType::float32, false, {8}});
  const TensorId high = graph.tensors.push_back({"high", w, {32}, ElementType::float32, false, {8}});
  BatchCosts costs;
  costs.batch = 1;
  for (const auto& [name, tensor] : {std::pair{"low", low}, std::pair{"high", high}}) {
    Op op;
    op.name = name;
    op.inputs = {tensor};
    op.outputs = {tensor};
    op.phase = Phase::update;
    op.recomputable = true;
    costs.kernel_of.push_back(static_cast<std::uint32_t>(graph.ops.push_back(op).index()));
    costs.kernels.push_back({name, {0}, {}, 0, {}, 1});
  }
  trace.batches.push_back(costs);
  return trace;
}

TEST(PartialWrites, SlicesOfOneBufferFollowEachOther) {
  ScheduleBuilder s(sliced_trace());
  const auto w = s.wrapping("w", 0, 0, 1);
  s.compute("low", {w}, {w}, {});
  s.compute("high", {w}, {w}, {});
  EXPECT_THAT(rules_broken(sliced_trace(), s.build()), IsEmpty());
}

TEST(PartialWrites, TheRestOfTheBufferMustBeThere) {
  // high goes to bytes that low's half was never copied to.
  ScheduleBuilder s(sliced_trace());
  const auto w = s.residency("w", 0, 0, 1), other = s.residency("w", 64, 1, 1);
  s.host_valid("w");
  const auto in_w = s.swap_in(w, 0, {});
  s.compute("low", {w}, {w}, {in_w});
  const auto high = s.compute("high", {w}, {other}, {});
  s.swap_out(other, 1, {high});
  EXPECT_THAT(rules_broken(sliced_trace(), s.build()), ElementsAre(Rule::lasting_buffer_ends_in_host));
}

TEST(PartialWrites, ASliceIsNotReadFromABufferWhoseRestHasChanged) {
  // low runs again after high: its half is as it was written, but the buffer no longer holds what low found the first
  // time.
  ScheduleBuilder s(sliced_trace());
  const auto w = s.wrapping("w", 0, 0, 2);
  const auto unwanted = s.scratch(64, 64, 2);
  s.compute("low", {w}, {w}, {});
  s.compute("high", {w}, {w}, {});
  s.compute("low", {w}, {unwanted}, {});
  EXPECT_THAT(rules_broken(sliced_trace(), s.build()), ElementsAre(Rule::operand_has_its_value));
}

}  // namespace
}  // namespace spillway
