#include "profiler/distinct_ops.h"

#include <algorithm>
#include <utility>

namespace spillway {

DistinctOps distinct_ops(const Graph& graph, const std::vector<std::int64_t>& batches) {
  DistinctOps result;
  for (const std::int64_t batch : batches) {
    IdVector<OpId, std::uint32_t> stands_for;
    for (const OpId id : graph.ops.ids()) {
      OpDescription description = describe(graph, id, batch);
      const auto known = std::ranges::find(result.ops, description, &DistinctOp::description);
      stands_for.push_back(static_cast<std::uint32_t>(known - result.ops.begin()));
      if (known == result.ops.end()) {
        result.ops.push_back({.description = std::move(description), .name = graph.ops[id].name, .batch = batch});
      }
    }
    result.stands_for_at.push_back(std::move(stands_for));
  }
  return result;
}

OperandPlaces place_operands(const OpDescription& op, Bytes workspace, Bytes alignment) {
  OperandPlaces places;
  const auto take = [&](Bytes size) {
    const Bytes at = places.end;
    places.end += align_up(size, alignment);
    return at;
  };
  for (const OperandDescription& input : op.inputs) places.inputs.push_back(take(bytes(input)));
  for (std::size_t i = 0; i < op.outputs.size(); ++i) {
    const int shared = op.in_place[i];
    places.outputs.push_back(shared < 0 ? take(bytes(op.outputs[i])) : places.inputs[static_cast<std::size_t>(shared)]);
  }
  places.workspace = take(workspace);
  return places;
}

}  // namespace spillway
