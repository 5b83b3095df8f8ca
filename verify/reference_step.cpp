#include "verify/reference_step.h"

namespace spillway {

ReferenceStep::ReferenceStep(const Graph& graph, std::int64_t batch)
    : operands_(graph.ops.size()), at_start_(graph.buffers.size(), kUnwritten), makers_(3) {
  const auto new_value = [&](OpId maker) {
    makers_.push_back(maker);
    return Value(makers_.size() - 1);
  };
  for (const BufferId id : graph.buffers.ids()) {
    const Role role = graph.buffers[id].role;
    if (role == Role::input || is_lasting(role)) at_start_[id] = new_value(OpId());
  }

  at_end_ = at_start_;
  for (const OpId id : graph.ops.ids()) {
    for (const TensorId input : graph.ops[id].inputs)
      operands_[id].inputs.push_back(at_end_[graph.tensors[input].buffer]);
    for (const TensorId output : graph.ops[id].outputs) {
      const Tensor& tensor = graph.tensors[output];
      const bool covers_buffer =
          tensor.offset.value == 0 && bytes(tensor, batch) >= bytes(graph.buffers[tensor.buffer], batch);
      Value& current = at_end_[tensor.buffer];
      const std::optional<Value> on_top_of = covers_buffer ? std::nullopt : std::optional(current);
      current = new_value(id);
      operands_[id].outputs.push_back({current, on_top_of});
    }
  }
}

OpId ReferenceStep::maker(Value value) const {
  return value.valid() && value.index() < makers_.size() ? makers_[value.index()] : OpId();
}

}  // namespace spillway
