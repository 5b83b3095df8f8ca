#include "tests/verify/mutate.h"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace spillway {

std::vector<Rule> rules_broken(const Trace& trace, const Schedule& schedule) {
  std::set<Rule> rules;
  for (const Violation& violation : verify(trace, schedule)) rules.insert(violation.rule);
  return {rules.begin(), rules.end()};
}

Schedule without_wait(Schedule schedule, std::size_t instruction, std::size_t wait) {
  if (std::erase(schedule.instructions[InstructionId(instruction)].waits, InstructionId(wait)) == 0)
    throw std::logic_error("there is no such wait to drop");
  return schedule;
}

Schedule without_instruction(Schedule schedule, std::size_t instruction) {
  const InstructionId gone(instruction);
  IdVector<InstructionId, Instruction> rest;
  for (const InstructionId id : schedule.instructions.ids()) {
    if (id == gone) continue;
    Instruction kept = schedule.instructions[id];
    std::erase(kept.waits, gone);
    for (InstructionId& wait : kept.waits)
      if (wait > gone) wait = InstructionId(wait.index() - 1);
    rest.push_back(std::move(kept));
  }
  schedule.instructions = std::move(rest);
  return schedule;
}

}  // namespace spillway
