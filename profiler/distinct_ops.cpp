#include "profiler/distinct_ops.h"

#include <algorithm>
#include <utility>

namespace spillway {
namespace {

/// Whether two ops cost the same: equal, but for the batch where neither has an operand of that many samples.
bool cost_the_same(const OpDescription& a, const OpDescription& b) {
  const auto batched = [](const OpDescription& op) {
    return std::ranges::any_of(op.inputs, &OperandDescription::batched) ||
           std::ranges::any_of(op.outputs, &OperandDescription::batched);
  };
  if (a.batch == b.batch || batched(a)) return a == b;
  OpDescription at_the_same_batch = a;
  at_the_same_batch.batch = b.batch;
  return at_the_same_batch == b;
}

}  // namespace

DistinctOps distinct_ops(const Graph& graph, const std::vector<std::int64_t>& batches) {
  DistinctOps result;
  for (const std::int64_t batch : batches) {
    IdVector<OpId, std::uint32_t> stands_for;
    for (const OpId id : graph.ops.ids()) {
      OpDescription description = describe(graph, id, batch);
      const auto known = std::ranges::find_if(
          result.ops, [&](const DistinctOp& op) { return cost_the_same(op.description, description); });
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
