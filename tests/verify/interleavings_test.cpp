#include <gtest/gtest.h>

#include <random>

#include "tests/verify/good_schedules.h"
#include "tests/verify/interleave.h"
#include "tests/verify/mutate.h"
#include "tests/verify/toy.h"

// The verifier against runs on simulated bytes (interleave.h): what verifies never goes wrong, and what doesn't can go
// wrong.

namespace spillway {
namespace {

/// What can go wrong must be refused. What is refused can go wrong, unless it is about a copy that nobody needs.
void expect_fair(const GoodSchedule& origin, bool refused, bool goes_wrong) {
  if (origin.has_spare_copy)
    EXPECT_TRUE(refused || !goes_wrong);
  else
    EXPECT_EQ(refused, goes_wrong);
}

bool can_go_wrong(const Trace& trace, const Schedule& schedule, unsigned seeds) {
  for (unsigned seed = 0; seed < seeds; ++seed)
    if (wrong_result(trace, schedule, seed)) return true;
  return false;
}

class Interleavings : public testing::TestWithParam<GoodSchedule> {};

TEST_P(Interleavings, AllGiveTheInOrderResult) {
  const Trace trace = toy_trace();
  const Schedule schedule = GetParam().make();
  for (unsigned seed = 0; seed < 300; ++seed)
    ASSERT_EQ(wrong_result(trace, schedule, seed), std::nullopt) << "seed " << seed;
}

TEST_P(Interleavings, AMissingWaitIsReportedIfAndOnlyIfItCanDoHarm) {
  const Trace trace = toy_trace();
  const Schedule good = GetParam().make();
  for (const InstructionId id : good.instructions.ids())
    for (const InstructionId wait : good.instructions[id].waits) {
      const Schedule mutant = without_wait(good, id.index(), wait.index());
      SCOPED_TRACE(testing::Message() << "instruction " << id.value << " without its wait for " << wait.value);
      expect_fair(GetParam(), !verify(trace, mutant).empty(), can_go_wrong(trace, mutant, 500));
    }
}

TEST_P(Interleavings, AMissingCopyIsReportedIfAndOnlyIfItCanDoHarm) {
  const Trace trace = toy_trace();
  const Schedule good = GetParam().make();
  for (const InstructionId id : good.instructions.ids()) {
    if (good.instructions[id].kind == InstructionKind::compute) continue;
    const Schedule mutant = without_instruction(good, id.index());
    SCOPED_TRACE(testing::Message() << "without instruction " << id.value);
    expect_fair(GetParam(), !verify(trace, mutant).empty(), can_go_wrong(trace, mutant, 500));
  }
}

/// Moves residencies, drops waits and lets copies and operands use other residencies, at random.
Schedule mutated(Schedule schedule, std::mt19937& random) {
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
    Residency& residency = schedule.residencies[ResidencyId(below(schedule.residencies.size()))];
    Instruction& instruction = schedule.instructions[InstructionId(below(schedule.instructions.size()))];
    switch (below(5)) {
      case 0:
        residency.offset = {
            static_cast<std::int64_t>(64 * below(static_cast<std::size_t>(schedule.arena_bytes.value) / 64))};
        break;
      case 1: residency.last = Position(std::min(residency.last.index() + 1, positions(schedule) - 1)); break;
      case 2:
        if (!instruction.waits.empty()) instruction.waits.erase(instruction.waits.begin());
        break;
      case 3:
        for (std::vector<ResidencyId>* const operands : {&instruction.inputs, &instruction.outputs})
          for (ResidencyId& operand : *operands)
            for (const ResidencyId other : schedule.residencies.ids())
              if (schedule.residencies[other].buffer == schedule.residencies[operand].buffer && below(2) == 0)
                operand = other;
        break;
      default:
        for (StartState& state : schedule.start) {
          const bool has_slot = host_slot(schedule, state.buffer) != nullptr;
          if (has_slot && (state.residency.valid() || !state.host_valid)) state.host_valid = !state.host_valid;
        }
    }
  }
  return schedule;
}

TEST_P(Interleavings, NoRandomMutantThatVerifiesGoesWrong) {
  const Trace trace = toy_trace();
  const Schedule good = GetParam().make();
  int verified = 0, refused = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    const Schedule mutant = mutated(good, random);
    if (!verify(trace, mutant).empty()) {
      ++refused;
      continue;
    }
    ++verified;
    for (unsigned run = 0; run < 20; ++run)
      ASSERT_EQ(wrong_result(trace, mutant, run), std::nullopt) << "seed " << seed << ", run " << run;
  }
  // Else the loop above has looked at nothing.
  EXPECT_GT(verified, 20);
  EXPECT_GT(refused, 20);
}

INSTANTIATE_TEST_SUITE_P(Toy, Interleavings, testing::ValuesIn(good_schedules()),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace spillway
