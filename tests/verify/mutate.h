#pragma once

#include <ostream>
#include <vector>

#include "core/schedule.h"
#include "verify/verify.h"

// Breaks one thing of a good schedule.

namespace spillway {

/// For GoogleTest's messages.
inline void PrintTo(Rule rule, std::ostream* out) {
  *out << to_text(rule);
}
inline void PrintTo(const Violation& violation, std::ostream* out) {
  *out << to_text(violation.rule) << ": " << violation.text;
}

/// The rules that verify() reports, each once, by number.
[[nodiscard]] std::vector<Rule> rules_broken(const Trace& trace, const Schedule& schedule);

/// `instruction` no longer waits for `wait`. Throws std::logic_error when it didn't, so that no mutant is the schedule
/// itself.
[[nodiscard]] Schedule without_wait(Schedule schedule, std::size_t instruction, std::size_t wait);
/// The instruction is left out; who waited for it waits for one thing less.
[[nodiscard]] Schedule without_instruction(Schedule schedule, std::size_t instruction);

}  // namespace spillway
