#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "device/cpu/kernels/onednn.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

std::int64_t checked_label(const std::int64_t* labels, std::int64_t sample, std::int64_t classes) {
  const std::int64_t label = labels[sample];
  if (label < 0 || label >= classes) {
    throw input_error(
        fmt::format("label of sample {} of the batch: found {}, expected 0 to {}", sample, label, classes - 1));
  }
  return label;
}

/// loss [1] from logits [N,K], labels [N] and probabilities [N,K].
void cross_entropy(const Operands& operands, std::int64_t samples, std::int64_t classes) {
  const float *logits = operands.input(0), *probabilities = operands.output(1);
  const auto* labels = operands.input<std::int64_t>(1);
  double sum = 0;
  for (std::int64_t n = 0; n < samples; ++n) {
    const std::int64_t label = checked_label(labels, n, classes);
    const float* row = logits + n * classes;
    const std::int64_t largest = std::max_element(row, row + classes) - row;
    // -log p[label] by way of the largest p, which is at least 1/K: p[label] itself may have become 0 in float.
    sum += static_cast<double>(row[largest]) - static_cast<double>(row[label]) -
           std::log(static_cast<double>(probabilities[n * classes + largest]));
  }
  *operands.output(0) = static_cast<float>(sum / static_cast<double>(samples));
}

}  // namespace

std::vector<Recipe> recipes(const SoftmaxCrossEntropy&, const OpDescription& op, int threads) {
  const Extents& logits = op.inputs[0].extents;
  const dnnl::softmax_v2_forward::desc descriptor(dnnl::prop_kind::forward_training, dnnl::algorithm::softmax_accurate,
                                                  canonical(logits), canonical(logits), 1);
  std::vector<Recipe> all;
  for_each_implementation(dnnl::softmax_v2_forward::primitive_desc(descriptor, kernel_attributes(), cpu_engine(), true),
                          [&](const auto& choice) {
                            RecipeBuilder builder;
                            builder.add(choice, {{DNNL_ARG_SRC, canonical(logits), builder.input(0)},
                                                 {DNNL_ARG_DST, canonical(logits), builder.output(1)}});
                            builder.add([samples = logits[0], classes = logits[1]](const Operands& operands) {
                              cross_entropy(operands, samples, classes);
                            });
                            all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
                          });
  return all;
}

std::vector<Recipe> recipes(const SoftmaxCrossEntropyBackward&, const OpDescription& op, int) {
  const Extents& extents = op.inputs[0].extents;
  return loop_recipe([samples = extents[0], classes = extents[1]](const Operands& operands) {
    const float* probabilities = operands.input(0);
    const auto* labels = operands.input<std::int64_t>(1);
    float* gradient = operands.output(0);
    const float scale = 1.0F / static_cast<float>(samples);
    for (std::int64_t n = 0; n < samples; ++n) {
      const std::int64_t label = checked_label(labels, n, classes), row = n * classes;
      // From p, not from the gradient written a moment ago: they may share their bytes.
      const float at_label = (probabilities[row + label] - 1.0F) * scale;
#pragma GCC ivdep
      for (std::int64_t k = row; k < row + classes; ++k) gradient[k] = probabilities[k] * scale;
      gradient[row + label] = at_label;
    }
  });
}

}  // namespace spillway
