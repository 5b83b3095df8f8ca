#include "device/cpu/kernels/onednn.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

/// Elementwise ops don't care where an element lies, so all operands are seen as one row.
dnnl::memory::desc one_row(const OperandDescription& operand) {
  return canonical({elements(operand)});
}

std::vector<Recipe> forward(dnnl::algorithm algorithm, double slope, const OpDescription& op, int threads) {
  const dnnl::memory::desc row = one_row(op.outputs[0]);
  const dnnl::eltwise_forward::desc descriptor(dnnl::prop_kind::forward_training, algorithm, row,
                                               static_cast<float>(slope));
  std::vector<Recipe> all;
  for_each_implementation(
      dnnl::eltwise_forward::primitive_desc(descriptor, kernel_attributes(), cpu_engine(), true),
      [&](const auto& choice) {
        RecipeBuilder builder;
        builder.add(choice, {{DNNL_ARG_SRC, row, builder.input(0)}, {DNNL_ARG_DST, row, builder.output(0)}});
        all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
      });
  return all;
}

/// From dy and the forward result y.
std::vector<Recipe> backward(dnnl::algorithm algorithm, double slope, const OpDescription& op, int threads) {
  const dnnl::memory::desc row = one_row(op.outputs[0]);
  const dnnl::eltwise_forward::desc forward_descriptor(dnnl::prop_kind::forward_training, algorithm, row,
                                                       static_cast<float>(slope));
  const dnnl::eltwise_forward::primitive_desc hint(forward_descriptor, kernel_attributes(), cpu_engine(), true);
  if (!hint) return {};
  const dnnl::eltwise_backward::desc descriptor(algorithm, row, row, static_cast<float>(slope));
  std::vector<Recipe> all;
  for_each_implementation(
      dnnl::eltwise_backward::primitive_desc(descriptor, kernel_attributes(), cpu_engine(), hint, true),
      [&](const auto& choice) {
        RecipeBuilder builder;
        builder.add(choice, {{DNNL_ARG_DIFF_DST, row, builder.input(0)},
                             {DNNL_ARG_DST, row, builder.input(1)},
                             {DNNL_ARG_DIFF_SRC, row, builder.output(0)}});
        all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
      });
  return all;
}

}  // namespace

std::vector<Recipe> recipes(const LeakyRelu& relu, const OpDescription& op, int threads) {
  return forward(dnnl::algorithm::eltwise_relu_use_dst_for_bwd, relu.slope, op, threads);
}
std::vector<Recipe> recipes(const LeakyReluBackward& relu, const OpDescription& op, int threads) {
  return backward(dnnl::algorithm::eltwise_relu_use_dst_for_bwd, relu.slope, op, threads);
}
std::vector<Recipe> recipes(const Sigmoid&, const OpDescription& op, int threads) {
  return forward(dnnl::algorithm::eltwise_logistic_use_dst_for_bwd, 0, op, threads);
}
std::vector<Recipe> recipes(const SigmoidBackward&, const OpDescription& op, int threads) {
  return backward(dnnl::algorithm::eltwise_logistic_use_dst_for_bwd, 0, op, threads);
}

std::vector<Recipe> recipes(const Add&, const OpDescription& op, int threads) {
  const dnnl::memory::desc row = one_row(op.outputs[0]);
  const dnnl::binary::desc descriptor(dnnl::algorithm::binary_add, row, row, row);
  std::vector<Recipe> all;
  for_each_implementation(dnnl::binary::primitive_desc(descriptor, kernel_attributes(), cpu_engine(), true),
                          [&](const auto& choice) {
                            RecipeBuilder builder;
                            builder.add(choice, {{DNNL_ARG_SRC_0, row, builder.input(0)},
                                                 {DNNL_ARG_SRC_1, row, builder.input(1)},
                                                 {DNNL_ARG_DST, row, builder.output(0)}});
                            all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
                          });
  return all;
}

}  // namespace spillway
