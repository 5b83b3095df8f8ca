#pragma once

#include <string>
#include <vector>

#include "core/schedule.h"
#include "core/trace.h"
#include "verify/rule.h"

namespace spillway {

/// Collects violations, and gives the things of a Schedule the names that messages use. The names are safe for ids that
/// are out of range. Keeps references: must not outlive its arguments.
class Findings {
 public:
  Findings(const Trace& trace, const Schedule& schedule) : trace_(trace), schedule_(schedule) {}

  void add(Rule rule, std::string text) { violations_.push_back({rule, std::move(text)}); }
  [[nodiscard]] bool empty() const { return violations_.empty(); }
  [[nodiscard]] std::vector<Violation> take() { return std::move(violations_); }

  /// `swap-out act (instruction 3)`
  [[nodiscard]] std::string name(InstructionId id) const;
  /// `'act' at 128..192`, or `workspace or scratch at 128..192`: first byte and the byte behind the last, from the
  /// arena's start.
  [[nodiscard]] std::string name(ResidencyId id) const;
  /// `'act'`
  [[nodiscard]] std::string name(BufferId id) const;
  /// `'forward'`
  [[nodiscard]] std::string name(OpId id) const;

 private:
  const Trace& trace_;
  const Schedule& schedule_;
  std::vector<Violation> violations_;
};

/// Whether `id` names an element of `items`.
template <class I, class T>
[[nodiscard]] bool in_range(I id, const IdVector<I, T>& items) {
  return id.valid() && id.index() < items.size();
}

}  // namespace spillway
