#pragma once

#include <optional>
#include <vector>

#include "core/graph.h"
#include "core/op_description.h"
#include "profiler/distinct_ops.h"

namespace spillway {

/// Where the operands of a whole step lie when it runs for its time only, in less memory than it needs: every tensor
/// takes the bytes that were given away longest ago, and is where it was as long as nobody took them. So an op finds
/// what the ops before it left in caches as it would in training; of what was overwritten it reads others' numbers.
/// Where an op's operands lie such that what it needs besides fits nowhere between them, all of them move.
struct StepPlaces {
  std::vector<OperandPlaces> ops;  ///< per op of the step, from the area's start
  /// What kernels may take for an index must stay what it is: integers have bytes of their own.
  struct Integers {
    Bytes at;
    OperandDescription operand;
  };
  std::vector<Integers> integers;
  Bytes floats;  ///< from here on lie the floats
};

/// Bytes that the integers of a step take.
[[nodiscard]] Bytes bytes_of_integers(const Graph& graph, std::int64_t batch, Bytes alignment);

/// `workspaces`: one per op. Empty where `room` has less than the integers and any one op's operands take.
[[nodiscard]] std::optional<StepPlaces> place_step(const Graph& graph, std::int64_t batch,
                                                   const std::vector<Bytes>& workspaces, Bytes room, Bytes alignment);

}  // namespace spillway
