#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/graph.h"
#include "core/op_description.h"

namespace spillway {

/// An op to be timed; it stands for all ops with an equal description, whatever the batch where no operand depends on
/// it.
struct DistinctOp {
  OpDescription description;
  std::string name;        ///< of the first op that it stands for
  std::int64_t batch = 1;  ///< at which that one has this description
};

/// What has to be timed for a graph at some batches.
struct DistinctOps {
  std::vector<DistinctOp> ops;                               ///< by first appearance
  std::vector<IdVector<OpId, std::uint32_t>> stands_for_at;  ///< per batch, per op of the graph: index into `ops`
};

/// Each description once, over all batches together: what doesn't depend on the batch is timed for one of them only.
/// Cost: ops times distinct ops.
[[nodiscard]] DistinctOps distinct_ops(const Graph& graph, const std::vector<std::int64_t>& batches);

/// Where the operands of an op that has the arena for itself lie: one behind the other, results in place on their
/// inputs, then the workspace.
struct OperandPlaces {
  std::vector<Bytes> inputs, outputs;  ///< from the first operand's start
  Bytes workspace;
  Bytes end;  ///< bytes of all
};
[[nodiscard]] OperandPlaces place_operands(const OpDescription& op, Bytes workspace, Bytes alignment);

}  // namespace spillway
