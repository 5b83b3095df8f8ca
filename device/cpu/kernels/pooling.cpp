#include <algorithm>

#include "device/cpu/kernels/onednn.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

using ForwardChoice = dnnl::pooling_v2_forward::primitive_desc;
using BackwardChoice = dnnl::pooling_v2_backward::primitive_desc;

dnnl::pooling_v2_forward::desc forward_descriptor(dnnl::algorithm algorithm, const Window& window, const Extents& x,
                                                  const Extents& y) {
  return {dnnl::prop_kind::forward_training,
          algorithm,
          channels_last(x),
          channels_last(y),
          window.stride,
          window.kernel,
          Extents(window.kernel.size(), 0),
          window.padding,
          window.padding};
}

dnnl::pooling_v2_backward::desc backward_descriptor(dnnl::algorithm algorithm, const Window& window, const Extents& dx,
                                                    const Extents& dy) {
  return {algorithm,      channels_last(dx), channels_last(dy),
          window.stride,  window.kernel,     Extents(window.kernel.size(), 0),
          window.padding, window.padding};
}

/// Whether the implementation notes its choices as `choice` does: a byte for each element of y, in y's order.
template <class Choice>
bool notes_bytes_like(const Choice& choice, const Extents& y) {
  return choice.workspace_desc() == channels_last(y, dnnl::memory::data_type::u8);
}

/// The window that covers all of [N, C, space...].
Window whole_space(const Extents& x) {
  const Extents space(x.begin() + 2, x.end());
  return {.kernel = space, .stride = space, .padding = Extents(space.size(), 0)};
}
/// [N, C] as [N, C, 1, ...], as many extents as x has.
Extents one_position(const Extents& x) {
  Extents y(x.size(), 1);
  y[0] = x[0], y[1] = x[1];
  return y;
}

}  // namespace

std::vector<Recipe> recipes(const MaxPool& pool, const OpDescription& op, int threads) {
  const Extents &x = op.inputs[0].extents, &y = op.outputs[0].extents;
  const auto descriptor = forward_descriptor(dnnl::algorithm::pooling_max, pool.window, x, y);
  std::vector<Recipe> all;
  for_each_implementation(ForwardChoice(descriptor, kernel_attributes(), cpu_engine(), true),
                          [&](const ForwardChoice& choice) {
                            if (!notes_bytes_like(choice, y)) return;
                            RecipeBuilder builder;
                            builder.add(choice, {{DNNL_ARG_SRC, channels_last(x), builder.input(0)},
                                                 {DNNL_ARG_DST, channels_last(y), builder.output(0)},
                                                 {DNNL_ARG_WORKSPACE, choice.workspace_desc(), builder.output(1)}});
                            all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
                          });
  return all;
}

std::vector<Recipe> recipes(const MaxPoolBackward& pool, const OpDescription& op, int threads) {
  const Extents &dy = op.inputs[0].extents, &dx = op.outputs[0].extents;
  const auto hint_descriptor = forward_descriptor(dnnl::algorithm::pooling_max, pool.window, dx, dy);
  const auto descriptor = backward_descriptor(dnnl::algorithm::pooling_max, pool.window, dx, dy);
  std::vector<Recipe> all;
  // A backward implementation insists on the workspace of its hint, so each forward one is tried as the hint.
  for_each_implementation(
      ForwardChoice(hint_descriptor, kernel_attributes(), cpu_engine(), true), [&](const ForwardChoice& hint) {
        for_each_implementation(BackwardChoice(descriptor, kernel_attributes(), cpu_engine(), hint, true),
                                [&](const BackwardChoice& choice) {
                                  const std::string id = onednn_id(choice.impl_info_str(), threads);
                                  const bool listed = std::ranges::find(all, id, &Recipe::id) != all.end();
                                  if (listed || !notes_bytes_like(choice, dy)) return;
                                  RecipeBuilder builder;
                                  builder.add(choice, {{DNNL_ARG_DIFF_DST, channels_last(dy), builder.input(0)},
                                                       {DNNL_ARG_WORKSPACE, choice.workspace_desc(), builder.input(1)},
                                                       {DNNL_ARG_DIFF_SRC, channels_last(dx), builder.output(0)}});
                                  all.push_back(builder.finish(id));
                                });
      });
  return all;
}

std::vector<Recipe> recipes(const GlobalAveragePool&, const OpDescription& op, int threads) {
  const Extents &x = op.inputs[0].extents, y = one_position(x);
  const auto descriptor = forward_descriptor(dnnl::algorithm::pooling_avg_exclude_padding, whole_space(x), x, y);
  std::vector<Recipe> all;
  for_each_implementation(ForwardChoice(descriptor, kernel_attributes(), cpu_engine(), true),
                          [&](const ForwardChoice& choice) {
                            RecipeBuilder builder;
                            builder.add(choice, {{DNNL_ARG_SRC, channels_last(x), builder.input(0)},
                                                 {DNNL_ARG_DST, channels_last(y), builder.output(0)}});
                            all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
                          });
  return all;
}

std::vector<Recipe> recipes(const GlobalAveragePoolBackward&, const OpDescription& op, int threads) {
  const Extents &dx = op.outputs[0].extents, dy = one_position(dx);
  const auto algorithm = dnnl::algorithm::pooling_avg_exclude_padding;
  const auto hint_descriptor = forward_descriptor(algorithm, whole_space(dx), dx, dy);
  const ForwardChoice hint(hint_descriptor, kernel_attributes(), cpu_engine(), true);
  if (!hint) return {};
  const auto descriptor = backward_descriptor(algorithm, whole_space(dx), dx, dy);
  std::vector<Recipe> all;
  for_each_implementation(BackwardChoice(descriptor, kernel_attributes(), cpu_engine(), hint, true),
                          [&](const BackwardChoice& choice) {
                            RecipeBuilder builder;
                            builder.add(choice, {{DNNL_ARG_DIFF_DST, channels_last(dy), builder.input(0)},
                                                 {DNNL_ARG_DIFF_SRC, channels_last(dx), builder.output(0)}});
                            all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
                          });
  return all;
}

}  // namespace spillway
