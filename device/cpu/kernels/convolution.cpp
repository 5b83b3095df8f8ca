#include "device/cpu/kernels/packed_weights.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

/// The forward convolution of one op, which its two backward ops need as a hint.
struct Forward {
  Forward(const Window& window, const Extents& x, const Extents& weights, const Extents& y, bool bias)
      : descriptor(
            bias ? Descriptor(dnnl::prop_kind::forward_training, kAlgorithm, channels_last(x), any_layout(weights),
                              canonical({y[1]}), channels_last(y), window.stride, window.padding, window.padding)
                 : Descriptor(dnnl::prop_kind::forward_training, kAlgorithm, channels_last(x), any_layout(weights),
                              channels_last(y), window.stride, window.padding, window.padding)),
        choice(descriptor, kernel_attributes(), cpu_engine(), true) {}

  using Descriptor = dnnl::convolution_forward::desc;
  static constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;
  Descriptor descriptor;
  dnnl::convolution_forward::primitive_desc choice;
};

}  // namespace

std::vector<Recipe> recipes(const Convolution& convolution, const OpDescription& op, int threads) {
  const Extents &x = op.inputs[0].extents, &weights = op.inputs[1].extents, &y = op.outputs[0].extents;
  const bool bias = op.inputs.size() > 2;
  const Forward forward(convolution.window, x, weights, y, bias);
  std::vector<Recipe> all;
  for_each_implementation(forward.choice, [&](const dnnl::convolution_forward::primitive_desc& choice) {
    RecipeBuilder builder;
    std::vector<Argument> arguments = {
        {DNNL_ARG_SRC, channels_last(x), builder.input(0)},
        {DNNL_ARG_WEIGHTS, choice.weights_desc(), pack_weights(builder, 1, choice.weights_desc(), weights)},
        {DNNL_ARG_DST, channels_last(y), builder.output(0)}};
    if (bias) arguments.push_back({DNNL_ARG_BIAS, canonical({y[1]}), builder.input(2)});
    builder.add(choice, std::move(arguments));
    all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
  });
  return all;
}

std::vector<Recipe> recipes(const ConvolutionBackwardData& convolution, const OpDescription& op, int threads) {
  const Window& window = convolution.window;
  const Extents &dy = op.inputs[0].extents, &weights = op.inputs[1].extents, &dx = op.outputs[0].extents;
  const Forward forward(window, dx, weights, dy, false);
  if (!forward.choice) return {};
  const dnnl::convolution_backward_data::desc descriptor(Forward::kAlgorithm, channels_last(dx), any_layout(weights),
                                                         channels_last(dy), window.stride, window.padding,
                                                         window.padding);
  std::vector<Recipe> all;
  for_each_implementation(dnnl::convolution_backward_data::primitive_desc(descriptor, kernel_attributes(), cpu_engine(),
                                                                          forward.choice, true),
                          [&](const dnnl::convolution_backward_data::primitive_desc& choice) {
                            RecipeBuilder builder;
                            const Place packed = pack_weights(builder, 1, choice.weights_desc(), weights);
                            builder.add(choice, {{DNNL_ARG_DIFF_DST, channels_last(dy), builder.input(0)},
                                                 {DNNL_ARG_WEIGHTS, choice.weights_desc(), packed},
                                                 {DNNL_ARG_DIFF_SRC, channels_last(dx), builder.output(0)}});
                            all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
                          });
  return all;
}

std::vector<Recipe> recipes(const ConvolutionBackwardWeights& convolution, const OpDescription& op, int threads) {
  const Window& window = convolution.window;
  const Extents &x = op.inputs[0].extents, &dy = op.inputs[1].extents, &weights = op.outputs[0].extents;
  const bool bias = op.outputs.size() > 1;
  const Forward forward(window, x, weights, dy, bias);
  if (!forward.choice) return {};
  using Descriptor = dnnl::convolution_backward_weights::desc;
  const Descriptor descriptor =
      bias ? Descriptor(Forward::kAlgorithm, channels_last(x), any_layout(weights), canonical({dy[1]}),
                        channels_last(dy), window.stride, window.padding, window.padding)
           : Descriptor(Forward::kAlgorithm, channels_last(x), any_layout(weights), channels_last(dy), window.stride,
                        window.padding, window.padding);
  std::vector<Recipe> all;
  for_each_implementation(dnnl::convolution_backward_weights::primitive_desc(descriptor, kernel_attributes(),
                                                                             cpu_engine(), forward.choice, true),
                          [&](const dnnl::convolution_backward_weights::primitive_desc& choice) {
                            RecipeBuilder builder;
                            const Place gradient = packed_gradient(builder, 0, choice.diff_weights_desc(), weights);
                            std::vector<Argument> arguments = {
                                {DNNL_ARG_SRC, channels_last(x), builder.input(0)},
                                {DNNL_ARG_DIFF_DST, channels_last(dy), builder.input(1)},
                                {DNNL_ARG_DIFF_WEIGHTS, choice.diff_weights_desc(), gradient}};
                            if (bias) arguments.push_back({DNNL_ARG_DIFF_BIAS, canonical({dy[1]}), builder.output(1)});
                            builder.add(choice, std::move(arguments));
                            unpack_gradient(builder, gradient, 0, choice.diff_weights_desc(), weights);
                            all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
                          });
  return all;
}

}  // namespace spillway
