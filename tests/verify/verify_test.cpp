#include "verify/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/verify/good_schedules.h"
#include "tests/verify/mutate.h"
#include "tests/verify/toy.h"

namespace spillway {

namespace {

using testing::IsEmpty;

class GoodSchedules : public testing::TestWithParam<GoodSchedule> {};

TEST_P(GoodSchedules, Verify) {
  EXPECT_THAT(verify(toy_trace(), GetParam().make()), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Toy, GoodSchedules, testing::ValuesIn(good_schedules()),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Verify, TheToyStepIsWellFormed) {
  EXPECT_THAT(mistakes(toy_trace().graph), IsEmpty());
}

TEST(Verify, ASwapOutMayRunBesideLaterReaders) {
  // In `swapped`, head (2) reads act while swap-out act (3) copies it: no wait between the two, and none needed.
  const Schedule schedule = swapped();
  EXPECT_THAT(schedule.instructions[InstructionId(3)].waits, testing::ElementsAre(InstructionId(1)));
  EXPECT_THAT(verify(toy_trace(), schedule), IsEmpty());
}

TEST(Verify, OneWrongValueIsReportedOnce) {
  // Without act's swap-in, backward reads nothing valid; dw, w and m, which follow from it, aren't mentioned.
  EXPECT_THAT(verify(toy_trace(), without_instruction(swapped(), 6)), testing::SizeIs(1));
  // Without m's, update doesn't; nor are the m that leaves and the m at the step's end.
  EXPECT_THAT(verify(toy_trace(), without_instruction(swapped(), 8)), testing::SizeIs(1));
}

TEST(Verify, ABrokenStructureHidesRacesAndValuesButNotSizes) {
  Schedule schedule = without_instruction(without_wait(swapped(), 7, 6), 10);
  schedule.plan.capacity = {255};
  schedule.kernels[OpId(0)] = "other";
  EXPECT_THAT(rules_broken(toy_trace(), schedule),
              testing::ElementsAre(Rule::kernels_match_trace, Rule::arena_fits_capacity));
  schedule.kernels = swapped().kernels;
  EXPECT_THAT(rules_broken(toy_trace(), schedule),
              testing::ElementsAre(Rule::arena_fits_capacity, Rule::swap_in_ends_before_read,
                                   Rule::lasting_buffer_ends_in_host));
}

TEST(Verify, ScalesToThousandsOfInstructions) {
  // A chain of 2,500 ops, each reading its predecessor's buffer, with three places in turn: op i writes place i mod 3,
  // and a copy of it leaves from there beside its reader, i + 1. Writing a place waits for the copy that left it two
  // ops before.
  constexpr std::size_t kOps = 2500;
  Trace trace;
  Graph& graph = trace.graph;
  BatchCosts costs;
  costs.batch = 1;
  Schedule schedule;
  schedule.streams.push_back({StreamRole::compute, 0});
  schedule.streams.push_back({StreamRole::swap_out, 0});
  std::vector<InstructionId> copies;
  for (std::size_t i = 0; i < kOps; ++i) {
    const std::string number = std::to_string(i);
    const BufferId buffer = graph.buffers.push_back({"b" + number, Role::activation, {64}, {0}, std::nullopt});
    graph.tensors.push_back({"t" + number, buffer, {0}, ElementType::float32, false, {16}});
    Op op;
    op.name = "op" + number;
    if (i > 0) op.inputs = {TensorId(i - 1)};
    op.outputs = {TensorId(i)};
    graph.ops.push_back(op);
    costs.kernels.push_back({"kernel", {0}, {}, 0, {}, 1});
    costs.kernel_of.push_back(static_cast<std::uint32_t>(i));
    schedule.kernels.push_back("kernel");
    schedule.residencies.push_back({buffer,
                                    {static_cast<std::int64_t>(64 * (i % 3))},
                                    {64},
                                    Position(i),
                                    Position(std::min(i + 1, kOps - 1)),
                                    false});
    schedule.host_slots.push_back({buffer, {static_cast<std::int64_t>(64 * i)}, {64}});

    Instruction compute;
    compute.stream = StreamId(0);
    compute.position = Position(i);
    compute.op = OpId(i);
    if (i > 0) compute.inputs = {ResidencyId(i - 1)};
    compute.outputs = {ResidencyId(i)};
    if (i >= 3) compute.waits = {copies[i - 3]};
    const InstructionId id = schedule.instructions.push_back(compute);
    Instruction copy;
    copy.kind = InstructionKind::swap_out;
    copy.stream = StreamId(1);
    copy.position = Position(i);
    copy.buffer = buffer;
    copy.residency = ResidencyId(i);
    copy.waits = {id};
    copies.push_back(schedule.instructions.push_back(copy));
  }
  trace.batches.push_back(costs);
  schedule.arena_bytes = schedule.plan.capacity = {192};
  schedule.host_bytes = {static_cast<std::int64_t>(64 * kOps)};
  EXPECT_THAT(verify(trace, schedule), IsEmpty());

  schedule.instructions[InstructionId(2 * 1500)].waits.clear();
  const auto violations = verify(trace, schedule);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].rule, Rule::last_users_end_before_reuse);
  // Place 1500 mod 3 = 0.
  EXPECT_EQ(
      violations[0].text,
      "op1500 (instruction 3000) may start to use 'b1500' at 0..64 before swap-out b1497 (instruction 2995) has left "
      "'b1497' at 0..64");
}

}  // namespace
}  // namespace spillway
