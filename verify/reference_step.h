#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/graph.h"

namespace spillway {

/// A value of a whole buffer, by number. Two reads see the same bits if they see the same number.
using Value = Id<struct ValueTag>;

/// What nobody has written: an arena's or a host slot's bytes before the first write.
inline constexpr Value kUnwritten{std::size_t{0}};
/// A write on top of a wrong value. Equal to nothing that an op expects.
inline constexpr Value kMixed{std::size_t{1}};
/// Stands for any value, after a violation has been reported: it hides what only follows from that one.
inline constexpr Value kForgiven{std::size_t{2}};

/// The values of the in-order step that keeps every buffer for ever: what each op reads and makes.
///
/// Every output of every op makes a new value of its buffer. A recomputation with the same operand values makes the
/// same bits, so it makes the value of the first run. An output that covers only a part of its buffer depends on the
/// value that it finds there. Inputs and lasting buffers have a value at the step's start.
class ReferenceStep {
 public:
  ReferenceStep(const Graph& graph, std::int64_t batch);

  struct Output {
    Value value;
    std::optional<Value> on_top_of;  ///< the buffer's value before, if the output covers only a part of it
  };
  struct Operands {
    std::vector<Value> inputs;    ///< by operand
    std::vector<Output> outputs;  ///< by operand
  };
  [[nodiscard]] const Operands& operands(OpId op) const { return operands_[op]; }
  [[nodiscard]] Value at_start(BufferId buffer) const { return at_start_[buffer]; }
  [[nodiscard]] Value at_end(BufferId buffer) const { return at_end_[buffer]; }

  /// The op that makes the value; invalid for what is there at the step's start and for the special ones.
  [[nodiscard]] OpId maker(Value value) const;

 private:
  IdVector<OpId, Operands> operands_;
  IdVector<BufferId, Value> at_start_, at_end_;
  std::vector<OpId> makers_;  ///< by value
};

}  // namespace spillway
