#include "models/autodiff/training_step.h"

#include <variant>

#include "core/error.h"
#include "models/autodiff/backward_pass.h"
#include "models/autodiff/gradient_rules.h"
#include "models/autodiff/updates.h"

namespace spillway {

namespace {

/// For each tensor the first op that reads it, or an invalid id.
IdVector<TensorId, OpId> first_readers(const Graph& graph) {
  IdVector<TensorId, OpId> result(graph.tensors.size());
  for (const OpId op : graph.ops.ids()) {
    for (const TensorId input : graph.ops[op].inputs) {
      if (!result[input].valid()) result[input] = op;
    }
  }
  return result;
}

bool is_sensitive_output(const BackwardPass& pass, const Op& op) {
  for (const TensorId output : op.outputs) {
    if (pass.has_gradient(output)) return true;
  }
  return false;
}

bool computes_loss(const Graph& graph, const Op& op) {
  return !op.outputs.empty() && graph.buffers[graph.tensors[op.outputs.front()].buffer].role == Role::loss;
}

}  // namespace

Graph training_step(const Graph& forward, const Optimizer& optimizer) {
  int losses = 0;
  for (const Op& op : forward.ops) losses += computes_loss(forward, op) ? 1 : 0;
  SPILLWAY_CHECK(losses == 1, forward.name);

  Graph empty = forward;
  empty.ops = {};
  GraphBuilder builder(std::move(empty));
  bool counts_steps = std::holds_alternative<Adam>(optimizer.rule);
  for (const Buffer& buffer : forward.buffers) counts_steps |= buffer.role == Role::state && buffer.name == "step";
  if (counts_steps) {
    const TensorId step = builder.state("step", ElementType::int64, 0);
    builder.op({"step.advance", AdvanceStep{}, {step}, {step}, Phase::update, false, 1, 0});
  }
  BackwardPass pass(builder, forward);
  for (const Op& op : forward.ops) pass.append_forward(op);

  const IdVector<TensorId, OpId> first_reader = first_readers(forward);
  for (std::size_t i = forward.ops.size(); i-- > 0;) {
    const OpId id(i);
    const Op& op = forward.ops[id];
    if (computes_loss(forward, op) || is_sensitive_output(pass, op)) append_gradient(pass, op);
    // Everybody who reads the parameter later in the forward pass has added to its gradient by now.
    for (const TensorId input : op.inputs) {
      const bool is_parameter = forward.buffers[forward.tensors[input].buffer].role == Role::parameter;
      if (!is_parameter || first_reader[input] != id || !pass.has_gradient(input)) continue;
      const TensorId gradient = pass.take(input).tensor;
      pass.note_write(input);
      append_update(builder, optimizer, input, gradient);
    }
  }
  return builder.take();
}

}  // namespace spillway
