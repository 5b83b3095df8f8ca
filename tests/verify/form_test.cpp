#include "verify/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/verify/good_schedules.h"
#include "tests/verify/mutate.h"
#include "tests/verify/toy.h"

// Schedules that no reader of files would hand on: the verifier must say so, not crash.

namespace spillway {
namespace {

using testing::ElementsAre;

/// Calls `change` with each id of the schedule that must name something.
template <class Change>
void for_each_id(Schedule& schedule, Change change) {
  for (Residency& residency : schedule.residencies) {
    change(residency.first);
    change(residency.last);
  }
  for (Instruction& instruction : schedule.instructions) {
    change(instruction.stream);
    change(instruction.position);
    for (InstructionId& wait : instruction.waits) change(wait);
    if (runs_op(instruction.kind)) {
      change(instruction.op);
      for (ResidencyId& input : instruction.inputs) change(input);
      for (ResidencyId& output : instruction.outputs) change(output);
    } else {
      change(instruction.buffer);
      change(instruction.residency);
    }
  }
  for (HostSlot& slot : schedule.host_slots) change(slot.buffer);
  for (StartState& state : schedule.start) change(state.buffer);
}

template <class Change>
void for_each_size(Schedule& schedule, Change change) {
  for (Residency& residency : schedule.residencies) {
    change(residency.offset);
    change(residency.bytes);
  }
  for (HostSlot& slot : schedule.host_slots) {
    change(slot.offset);
    change(slot.bytes);
  }
  change(schedule.arena_bytes);
  change(schedule.host_bytes);
}

TEST(Form, EveryIdIsChecked) {
  std::size_t ids = 0;
  Schedule good = swapped();
  for_each_id(good, [&](auto&) { ++ids; });
  ASSERT_GT(ids, 80U);
  for (const std::uint32_t bad : {100U, 0x7fffffffU, 0xfffffffeU, 0xffffffffU})
    for (std::size_t target = 0; target < ids; ++target) {
      Schedule mutant = good;
      std::size_t index = 0;
      for_each_id(mutant, [&](auto& id) {
        if (index++ == target) id.value = bad;
      });
      // An op that doesn't exist has no operand count either, so no second rule.
      EXPECT_THAT(rules_broken(toy_trace(), mutant), ElementsAre(Rule::ids_are_in_range))
          << "id " << target << " = " << bad;
    }
}

TEST(Form, OptionalIdsMayBeAbsentButNotWrong) {
  Schedule mutant = swapped();
  mutant.residencies[ResidencyId(4)].buffer = BufferId(100);
  mutant.instructions[InstructionId(4)].workspace = ResidencyId(100);
  mutant.start[0].residency = ResidencyId(100);
  const auto violations = verify(toy_trace(), mutant);
  ASSERT_EQ(violations.size(), 3U);
  EXPECT_EQ(violations[0].text, "residency 4: buffer: found 100, expected an id below 7");
  EXPECT_EQ(violations[1].text, "loss (instruction 4): workspace: found 100, expected an id below 9");
  EXPECT_EQ(violations[2].text, "start state 0: residency: found 100, expected an id below 9");
}

TEST(Form, AnAbsentIdIsCalledNone) {
  Schedule mutant = swapped();
  mutant.instructions[InstructionId(3)].buffer = {};
  const auto violations = verify(toy_trace(), mutant);
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].text, "instruction 3: buffer: found none, expected an id below 7");
}

TEST(Form, NoSizeIsNegative) {
  std::size_t sizes = 0;
  Schedule good = swapped();
  for_each_size(good, [&](Bytes&) { ++sizes; });
  for (const std::int64_t bad : {std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()})
    for (std::size_t target = 0; target < sizes; ++target) {
      Schedule mutant = good;
      std::size_t index = 0;
      for_each_size(mutant, [&](Bytes& size) {
        if (index++ == target) size.value = bad;
      });
      EXPECT_THAT(rules_broken(toy_trace(), mutant), ElementsAre(Rule::sizes_are_sound))
          << "size " << target << " = " << bad;
    }
}

TEST(Form, SumsOfSizesDoNotOverflow) {
  Schedule mutant = swapped();
  mutant.residencies[ResidencyId(2)].bytes = {std::numeric_limits<std::int64_t>::max()};
  mutant.host_slots[1].bytes = {std::numeric_limits<std::int64_t>::max()};
  const auto violations = verify(toy_trace(), mutant);
  ASSERT_EQ(violations.size(), 2U);
  EXPECT_EQ(violations[0].text,
            "residency 2: offset 128 and 9223372036854775807 bytes add up to more than 64 bits hold");
  EXPECT_EQ(violations[1].text,
            "host slot 1: offset 64 and 9223372036854775807 bytes add up to more than 64 bits hold");
}

TEST(Form, AnEmptyScheduleIsRefused) {
  EXPECT_THAT(rules_broken(toy_trace(), Schedule{}), ElementsAre(Rule::batch_is_profiled));
  Schedule schedule;
  schedule.plan.batch = 2;
  EXPECT_THAT(rules_broken(toy_trace(), schedule),
              ElementsAre(Rule::kernels_match_trace, Rule::ops_run_once_in_graph_order,
                          Rule::start_lists_lasting_buffers, Rule::buffers_have_host_slots));
}

TEST(Form, CostsThatDoNotFitTheGraphCountAsNone) {
  Trace short_costs = toy_trace();
  short_costs.batches[0].kernel_of.resize(4);
  EXPECT_THAT(rules_broken(short_costs, swapped()), ElementsAre(Rule::batch_is_profiled));
  Trace wild_costs = toy_trace();
  wild_costs.batches[0].kernel_of[OpId(0)] = 5;
  EXPECT_THAT(rules_broken(wild_costs, swapped()), ElementsAre(Rule::batch_is_profiled));
}

}  // namespace
}  // namespace spillway
