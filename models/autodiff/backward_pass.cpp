#include "models/autodiff/backward_pass.h"

#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {

BackwardPass::BackwardPass(GraphBuilder& builder, const Graph& forward)
    : builder_(builder), sensitive_(forward.tensors.size(), false) {
  for (const TensorId id : forward.tensors.ids()) {
    if (forward.buffers[forward.tensors[id].buffer].role == Role::parameter) sensitive_[id.index()] = true;
  }
  for (const Op& op : forward.ops) {
    // Running statistics and the like are kept over steps; no gradient flows into what was before.
    bool any = false;
    for (const TensorId input : op.inputs) any |= sensitive_[input.index()];
    for (const TensorId output : op.outputs) {
      if (any && !is_lasting(forward.buffers[forward.tensors[output].buffer].role)) sensitive_[output.index()] = true;
    }
  }
}

void BackwardPass::append_forward(const Op& op) {
  builder_.op(op);
  for (const TensorId output : op.outputs) note_write(output);
}

void BackwardPass::append_backward(const Op& forward_op, std::string_view suffix, Attributes attributes,
                                   std::vector<TensorId> inputs, std::vector<TensorId> outputs, double flops_factor) {
  const std::vector<TensorId> written = outputs;
  builder_.op({fmt::format("{}.{}", forward_op.name, suffix), std::move(attributes), std::move(inputs),
               std::move(outputs), Phase::backward, false, forward_op.flops_fixed * flops_factor,
               forward_op.flops_per_sample * flops_factor});
  for (const TensorId output : written) note_write(output);
}

TakenGradient BackwardPass::take(TensorId y) {
  const auto found = gradients_.find(y);
  SPILLWAY_CHECK(found != gradients_.end(), tensor(y).name);
  const TensorId gradient = found->second;
  gradients_.erase(found);
  return {gradient, --holders_[buffer(gradient)] == 0};
}

void BackwardPass::give(const std::vector<TensorId>& xs, TensorId gradient) {
  // All hold it before the first sum is written, so that no sum is written over what the next one still waits for.
  for (const TensorId x : xs) holders_[buffer(gradient)] += wants_gradient(x) ? 1 : 0;
  for (const TensorId x : xs) {
    if (!wants_gradient(x)) continue;
    if (has_gradient(x)) {
      const TensorId earlier = take(x).tensor;
      --holders_[buffer(gradient)];
      add(x, earlier, gradient);
    } else {
      gradients_[x] = gradient;
    }
  }
}

void BackwardPass::add(TensorId x, TensorId first, TensorId second) {
  // In place on whichever nobody else holds; the sum's bits are the same either way.
  if (holders_[buffer(first)] != 0 && holders_[buffer(second)] == 0) std::swap(first, second);
  const int number = ++sums_[x];
  const std::string name = tensor(x).name + ".grad.sum" + (number > 1 ? fmt::format(".{}", number) : "");
  const Tensor shape = tensor(x);
  const bool in_place = holders_[buffer(first)] == 0;
  const bool is_parameter = builder_.graph().buffers[shape.buffer].role == Role::parameter;
  const TensorId sum = in_place ? builder_.view(name, first, shape.extents)
                                : builder_.tensor(name, shape.type, shape.batched, shape.extents,
                                                  is_parameter ? Role::gradient : Role::activation);
  const double count = static_cast<double>(elements_per_sample(shape));
  builder_.op({name,
               Add{},
               {first, second},
               {sum},
               Phase::backward,
               false,
               shape.batched ? 0 : count,
               shape.batched ? count : 0});
  note_write(sum);
  gradients_[x] = sum;
  ++holders_[buffer(sum)];
}

TensorId BackwardPass::saved(TensorId x) const {
  const auto made = written_at_.find(x);
  const auto writes = writes_.find(buffer(x));
  const int at_birth = made == written_at_.end() ? 0 : made->second;
  const int now = writes == writes_.end() ? 0 : writes->second;
  SPILLWAY_CHECK(at_birth == now, fmt::format("'{}' was overwritten before its gradient's use", tensor(x).name));
  return x;
}

void BackwardPass::note_write(TensorId id) {
  written_at_[id] = ++writes_[buffer(id)];
}

std::string BackwardPass::gradient_name(TensorId x) {
  const int number = made_[x]++;
  return number == 0 ? tensor(x).name + ".grad" : fmt::format("{}.grad.{}", tensor(x).name, number + 1);
}

TensorId BackwardPass::new_gradient(TensorId x) {
  const Tensor shape = tensor(x);
  const bool is_parameter = builder_.graph().buffers[shape.buffer].role == Role::parameter;
  return builder_.tensor(gradient_name(x), ElementType::float32, shape.batched, shape.extents,
                         is_parameter ? Role::gradient : Role::activation);
}

TensorId BackwardPass::gradient_over(const TakenGradient& dy, TensorId x) {
  if (!dy.sole) return new_gradient(x);
  const Extents extents = tensor(x).extents;
  return builder_.view(gradient_name(x), dy.tensor, extents);
}

TensorId BackwardPass::gradient_over_value(TensorId over, TensorId x) {
  const Extents extents = tensor(x).extents;
  return builder_.view(gradient_name(x), over, extents);
}

}  // namespace spillway
