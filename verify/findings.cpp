#include "verify/findings.h"

#include <fmt/format.h>

namespace spillway {

std::string Findings::name(InstructionId id) const {
  if (!in_range(id, schedule_.instructions)) return fmt::format("instruction {}", id.value);
  const Instruction& instruction = schedule_.instructions[id];
  const bool has_name = runs_op(instruction.kind) ? in_range(instruction.op, trace_.graph.ops)
                                                  : in_range(instruction.buffer, trace_.graph.buffers);
  if (!has_name) return fmt::format("instruction {}", id.value);
  return fmt::format("{} (instruction {})", name_of(trace_.graph, instruction), id.value);
}

std::string Findings::name(ResidencyId id) const {
  if (!in_range(id, schedule_.residencies)) return fmt::format("residency {}", id.value);
  const Residency& residency = schedule_.residencies[id];
  const std::string what = residency.buffer.valid() ? name(residency.buffer) : "workspace or scratch";
  // Unsigned, since the sum of two sizes from a malformed schedule may overflow.
  const auto begin = static_cast<std::uint64_t>(residency.offset.value);
  return fmt::format("{} at {}..{}", what, begin, begin + static_cast<std::uint64_t>(residency.bytes.value));
}

std::string Findings::name(BufferId id) const {
  if (!in_range(id, trace_.graph.buffers)) return fmt::format("buffer {}", id.value);
  return fmt::format("'{}'", trace_.graph.buffers[id].name);
}

std::string Findings::name(OpId id) const {
  if (!in_range(id, trace_.graph.ops)) return fmt::format("op {}", id.value);
  return fmt::format("'{}'", trace_.graph.ops[id].name);
}

}  // namespace spillway
