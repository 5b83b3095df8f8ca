#include <algorithm>

#include "device/cpu/kernels/packed_weights.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

using Layout2d = dnnl::memory::desc;

/// [N, C, 1, 1, ...] as [N, C].
Extents flat(const OperandDescription& operand) {
  return {operand.extents[0], elements(operand) / std::max<std::int64_t>(operand.extents[0], 1)};
}

dnnl::inner_product_forward::desc forward_descriptor(const Extents& x, const Layout2d& weights, const Extents& y) {
  return {dnnl::prop_kind::forward_training, canonical(x), weights, canonical({y[1]}), canonical(y)};
}

/// Weights as they are come first: with the few samples of a batch the op is bound by reading the weights, and packing
/// them reads and writes them once more (8 samples, 2048 x 1000: 14 times slower). Their gemm allocates some memory of
/// its own while it runs, 1.7 MB there, whatever the scratchpad mode. Calls `list` for both layouts; keeps each
/// implementation's name once.
template <class List>
std::vector<Recipe> both_layouts(const Extents& weights, List list) {
  std::vector<Recipe> all = list(canonical(weights));
  for (Recipe& recipe : list(any_layout(weights))) {
    if (std::ranges::find(all, recipe.id, &Recipe::id) == all.end()) all.push_back(std::move(recipe));
  }
  return all;
}

}  // namespace

std::vector<Recipe> recipes(const Linear&, const OpDescription& op, int threads) {
  const Extents x = flat(op.inputs[0]), &weights = op.inputs[1].extents, &y = op.outputs[0].extents;
  return both_layouts(weights, [&](const Layout2d& layout) {
    std::vector<Recipe> all;
    const auto descriptor = forward_descriptor(x, layout, y);
    for_each_implementation(
        dnnl::inner_product_forward::primitive_desc(descriptor, kernel_attributes(), cpu_engine(), true),
        [&](const dnnl::inner_product_forward::primitive_desc& choice) {
          RecipeBuilder builder;
          const Place packed = pack_weights(builder, 1, choice.weights_desc(), weights);
          builder.add(choice, {{DNNL_ARG_SRC, canonical(x), builder.input(0)},
                               {DNNL_ARG_WEIGHTS, choice.weights_desc(), packed},
                               {DNNL_ARG_BIAS, canonical({y[1]}), builder.input(2)},
                               {DNNL_ARG_DST, canonical(y), builder.output(0)}});
          all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
        });
    return all;
  });
}

std::vector<Recipe> recipes(const LinearBackwardData&, const OpDescription& op, int threads) {
  const Extents &dy = op.inputs[0].extents, &weights = op.inputs[1].extents, dx = flat(op.outputs[0]);
  return both_layouts(weights, [&](const Layout2d& layout) {
    std::vector<Recipe> all;
    const auto forward_desc = forward_descriptor(dx, layout, dy);
    const dnnl::inner_product_forward::primitive_desc forward(forward_desc, kernel_attributes(), cpu_engine(), true);
    if (!forward) return all;
    const dnnl::inner_product_backward_data::desc descriptor(canonical(dx), layout, canonical(dy));
    for_each_implementation(
        dnnl::inner_product_backward_data::primitive_desc(descriptor, kernel_attributes(), cpu_engine(), forward, true),
        [&](const dnnl::inner_product_backward_data::primitive_desc& choice) {
          RecipeBuilder builder;
          const Place packed = pack_weights(builder, 1, choice.weights_desc(), weights);
          builder.add(choice, {{DNNL_ARG_DIFF_DST, canonical(dy), builder.input(0)},
                               {DNNL_ARG_WEIGHTS, choice.weights_desc(), packed},
                               {DNNL_ARG_DIFF_SRC, canonical(dx), builder.output(0)}});
          all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
        });
    return all;
  });
}

std::vector<Recipe> recipes(const LinearBackwardWeights&, const OpDescription& op, int threads) {
  const Extents x = flat(op.inputs[0]), &dy = op.inputs[1].extents, &weights = op.outputs[0].extents;
  return both_layouts(weights, [&](const Layout2d& layout) {
    std::vector<Recipe> all;
    const auto forward_desc = forward_descriptor(x, layout, dy);
    const dnnl::inner_product_forward::primitive_desc forward(forward_desc, kernel_attributes(), cpu_engine(), true);
    if (!forward) return all;
    const dnnl::inner_product_backward_weights::desc descriptor(canonical(x), layout, canonical({dy[1]}),
                                                                canonical(dy));
    for_each_implementation(dnnl::inner_product_backward_weights::primitive_desc(descriptor, kernel_attributes(),
                                                                                 cpu_engine(), forward, true),
                            [&](const dnnl::inner_product_backward_weights::primitive_desc& choice) {
                              RecipeBuilder builder;
                              const Place gradient = packed_gradient(builder, 0, choice.diff_weights_desc(), weights);
                              builder.add(choice, {{DNNL_ARG_SRC, canonical(x), builder.input(0)},
                                                   {DNNL_ARG_DIFF_DST, canonical(dy), builder.input(1)},
                                                   {DNNL_ARG_DIFF_WEIGHTS, choice.diff_weights_desc(), gradient},
                                                   {DNNL_ARG_DIFF_BIAS, canonical({dy[1]}), builder.output(1)}});
                              unpack_gradient(builder, gradient, 0, choice.diff_weights_desc(), weights);
                              all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
                            });
    return all;
  });
}

}  // namespace spillway
