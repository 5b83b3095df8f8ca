#include <algorithm>
#include <cmath>
#include <vector>

#include "device/cpu/kernels/onednn.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

using ForwardChoice = dnnl::batch_normalization_forward::primitive_desc;
using BackwardChoice = dnnl::batch_normalization_backward::primitive_desc;
const auto kFlags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;

/// What is normalised together: the whole batch, or one sample after the other.
struct Groups {
  Groups(const Extents& x, bool per_sample) : layout(channels_last(grouped(x, per_sample))), channels(x[1]) {
    if (per_sample) count = x[0];
  }

  dnnl::memory::desc layout;  ///< of one group
  std::int64_t channels;
  std::int64_t count = 1;

  [[nodiscard]] dnnl::memory::desc per_channel() const { return canonical({channels}); }
  [[nodiscard]] Bytes offset(std::int64_t group) const {
    return Bytes{static_cast<std::int64_t>(layout.get_size())} * group;
  }
  [[nodiscard]] Bytes channel_offset(std::int64_t group) const { return 4_B * channels * group; }

 private:
  static Extents grouped(Extents x, bool per_sample) {
    if (per_sample) x[0] = 1;
    return x;
  }
};

/// Positions whose sums are kept in single precision before they go into a double: few enough that rounding stays at
/// 1e-6.
constexpr std::int64_t kBlock = 128;

std::vector<Recipe> loop_forward(const OpDescription& op, bool per_sample, double epsilon) {
  const Extents& x = op.inputs[0].extents;
  const std::int64_t groups = per_sample ? x[0] : 1, channels = x[1],
                     positions = elements(op.inputs[0]) / groups / channels;
  std::vector<double> sum(static_cast<std::size_t>(channels)), square(sum.size());
  std::vector<float> part(sum.size()), factor(sum.size()), offset(sum.size());
  return loop_recipe([=](const Operands& operands) mutable {
    for (std::int64_t g = 0; g < groups; ++g) {
      const float* in = operands.input(0) + g * positions * channels;
      float* out = operands.output(0) + g * positions * channels;
      float *mean = operands.output(1) + g * channels, *variance = operands.output(2) + g * channels;
      std::fill(sum.begin(), sum.end(), 0.0);
      std::fill(square.begin(), square.end(), 0.0);
      for (std::int64_t first = 0; first < positions; first += kBlock) {
        std::fill(part.begin(), part.end(), 0.0F);
        for (std::int64_t i = first; i < std::min(first + kBlock, positions); ++i)
          for (std::int64_t c = 0; c < channels; ++c) part[static_cast<std::size_t>(c)] += in[i * channels + c];
        for (std::size_t c = 0; c < sum.size(); ++c) sum[c] += static_cast<double>(part[c]);
      }
      for (std::int64_t c = 0; c < channels; ++c)
        mean[c] = static_cast<float>(sum[static_cast<std::size_t>(c)] / static_cast<double>(positions));
      for (std::int64_t first = 0; first < positions; first += kBlock) {
        std::fill(part.begin(), part.end(), 0.0F);
        for (std::int64_t i = first; i < std::min(first + kBlock, positions); ++i)
          for (std::int64_t c = 0; c < channels; ++c) {
            const float d = in[i * channels + c] - mean[c];
            part[static_cast<std::size_t>(c)] += d * d;
          }
        for (std::size_t c = 0; c < sum.size(); ++c) square[c] += static_cast<double>(part[c]);
      }
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto k = static_cast<std::size_t>(c);
        variance[c] = static_cast<float>(square[k] / static_cast<double>(positions));
        factor[k] = static_cast<float>(static_cast<double>(operands.input(1)[c]) /
                                       std::sqrt(square[k] / static_cast<double>(positions) + epsilon));
        offset[k] = operands.input(2)[c];
      }
      for (std::int64_t i = 0; i < positions; ++i)
        for (std::int64_t c = 0; c < channels; ++c)
          out[i * channels + c] = (in[i * channels + c] - mean[c]) * factor[static_cast<std::size_t>(c)] +
                                  offset[static_cast<std::size_t>(c)];
    }
  });
}

std::vector<Recipe> loop_backward(const OpDescription& op, bool per_sample, double epsilon) {
  const Extents& x = op.inputs[1].extents;
  const std::int64_t groups = per_sample ? x[0] : 1, channels = x[1],
                     positions = elements(op.inputs[1]) / groups / channels;
  const auto size = static_cast<std::size_t>(channels);
  std::vector<double> total_scale(size), total_shift(size), scale(size), shift(size);
  std::vector<float> part(size), part2(size), rstd(size), factor(size), a(size), b(size);
  return loop_recipe([=](const Operands& operands) mutable {
    std::fill(total_scale.begin(), total_scale.end(), 0.0);
    std::fill(total_shift.begin(), total_shift.end(), 0.0);
    for (std::int64_t g = 0; g < groups; ++g) {
      const float *dy = operands.input(0) + g * positions * channels,
                  *in = operands.input(1) + g * positions * channels;
      const float *mean = operands.input(3) + g * channels, *variance = operands.input(4) + g * channels;
      float* dx = operands.output(0) + g * positions * channels;
      for (std::size_t c = 0; c < size; ++c)
        rstd[c] = static_cast<float>(1 / std::sqrt(static_cast<double>(variance[c]) + epsilon));
      std::fill(scale.begin(), scale.end(), 0.0);
      std::fill(shift.begin(), shift.end(), 0.0);
      for (std::int64_t first = 0; first < positions; first += kBlock) {
        std::fill(part.begin(), part.end(), 0.0F);
        std::fill(part2.begin(), part2.end(), 0.0F);
        for (std::int64_t i = first; i < std::min(first + kBlock, positions); ++i)
          for (std::size_t c = 0; c < size; ++c) {
            const auto at = i * channels + static_cast<std::int64_t>(c);
            part[c] += dy[at];
            part2[c] += dy[at] * ((in[at] - mean[c]) * rstd[c]);
          }
        for (std::size_t c = 0; c < size; ++c)
          shift[c] += static_cast<double>(part[c]), scale[c] += static_cast<double>(part2[c]);
      }
      for (std::size_t c = 0; c < size; ++c) {
        total_scale[c] += scale[c], total_shift[c] += shift[c];
        factor[c] = operands.input(2)[c] * rstd[c];
        a[c] = static_cast<float>(shift[c] / static_cast<double>(positions));
        b[c] = static_cast<float>(scale[c] / static_cast<double>(positions));
      }
      for (std::int64_t i = 0; i < positions; ++i)
        for (std::size_t c = 0; c < size; ++c) {
          const auto at = i * channels + static_cast<std::int64_t>(c);
          dx[at] = factor[c] * (dy[at] - a[c] - (in[at] - mean[c]) * rstd[c] * b[c]);
        }
    }
    for (std::size_t c = 0; c < size; ++c)
      operands.output(1)[c] = static_cast<float>(total_scale[c]),
      operands.output(2)[c] = static_cast<float>(total_shift[c]);
  });
}

std::vector<Recipe> forward(const OpDescription& op, bool per_sample, double epsilon, int threads) {
  const Groups groups(op.inputs[0].extents, per_sample);
  const dnnl::batch_normalization_forward::desc descriptor(dnnl::prop_kind::forward_training, groups.layout,
                                                           static_cast<float>(epsilon), kFlags);
  std::vector<Recipe> all = loop_forward(op, per_sample, epsilon);  // first: its sums stay exact
  for_each_implementation(
      ForwardChoice(descriptor, kernel_attributes(), cpu_engine(), true), [&](const ForwardChoice& choice) {
        RecipeBuilder builder;
        for (std::int64_t group = 0; group < groups.count; ++group) {
          const Bytes data = groups.offset(group), statistics = groups.channel_offset(group);
          builder.add(choice, {{DNNL_ARG_SRC, groups.layout, builder.input(0, data)},
                               {DNNL_ARG_SCALE, groups.per_channel(), builder.input(1)},
                               {DNNL_ARG_SHIFT, groups.per_channel(), builder.input(2)},
                               {DNNL_ARG_DST, groups.layout, builder.output(0, data)},
                               {DNNL_ARG_MEAN, groups.per_channel(), builder.output(1, statistics)},
                               {DNNL_ARG_VARIANCE, groups.per_channel(), builder.output(2, statistics)}});
        }
        all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
      });
  return all;
}

/// Adds up the gradients of scale and shift that the samples left in the workspace, in sample order.
LoopStep sum_over_groups(const Groups& groups, Bytes workspace_offset) {
  return [channels = groups.channels, count = groups.count, workspace_offset](const Operands& operands) {
    const auto* gradients = reinterpret_cast<const float*>(operands.workspace + workspace_offset.value);
    for (std::size_t output = 0; output < 2; ++output) {
      float* sum = operands.output(1 + output);
      std::fill_n(sum, channels, 0.0F);
      for (std::int64_t group = 0; group < count; ++group) {
        const float* gradient = gradients + (2 * group + static_cast<std::int64_t>(output)) * channels;
        for (std::int64_t c = 0; c < channels; ++c) sum[c] += gradient[c];
      }
    }
  };
}

std::vector<Recipe> backward(const OpDescription& op, bool per_sample, double epsilon, int threads) {
  const Groups groups(op.inputs[1].extents, per_sample);
  const dnnl::batch_normalization_forward::desc forward_descriptor(dnnl::prop_kind::forward_training, groups.layout,
                                                                   static_cast<float>(epsilon), kFlags);
  const ForwardChoice hint(forward_descriptor, kernel_attributes(), cpu_engine(), true);
  if (!hint) return {};
  const dnnl::batch_normalization_backward::desc descriptor(dnnl::prop_kind::backward, groups.layout, groups.layout,
                                                            static_cast<float>(epsilon), kFlags);
  std::vector<Recipe> all = loop_backward(op, per_sample, epsilon);
  for_each_implementation(
      BackwardChoice(descriptor, kernel_attributes(), cpu_engine(), hint, true), [&](const BackwardChoice& choice) {
        RecipeBuilder builder;
        const bool one = groups.count == 1;
        const Place sums = one ? Place{} : builder.workspace(groups.channel_offset(2 * groups.count));
        for (std::int64_t group = 0; group < groups.count; ++group) {
          const Bytes data = groups.offset(group), statistics = groups.channel_offset(group);
          const auto sum = [&](std::int64_t which) {
            if (one) return RecipeBuilder::output(static_cast<std::size_t>(1 + which));
            return Place{Place::In::workspace, 0, sums.offset + groups.channel_offset(2 * group + which)};
          };
          builder.add(choice, {{DNNL_ARG_DIFF_DST, groups.layout, builder.input(0, data)},
                               {DNNL_ARG_SRC, groups.layout, builder.input(1, data)},
                               {DNNL_ARG_SCALE, groups.per_channel(), builder.input(2)},
                               // oneDNN 2.6 insists on a shift here and uses none: the gradients don't depend on it.
                               {DNNL_ARG_SHIFT, groups.per_channel(), builder.input(2)},
                               {DNNL_ARG_MEAN, groups.per_channel(), builder.input(3, statistics)},
                               {DNNL_ARG_VARIANCE, groups.per_channel(), builder.input(4, statistics)},
                               {DNNL_ARG_DIFF_SRC, groups.layout, builder.output(0, data)},
                               {DNNL_ARG_DIFF_SCALE, groups.per_channel(), sum(0)},
                               {DNNL_ARG_DIFF_SHIFT, groups.per_channel(), sum(1)}});
        }
        if (!one) builder.add(sum_over_groups(groups, sums.offset));
        all.push_back(builder.finish(onednn_id(choice.impl_info_str(), threads)));
      });
  return all;
}

}  // namespace

std::vector<Recipe> recipes(const InstanceNorm& norm, const OpDescription& op, int threads) {
  return forward(op, true, norm.epsilon, threads);
}
std::vector<Recipe> recipes(const InstanceNormBackward& norm, const OpDescription& op, int threads) {
  return backward(op, true, norm.epsilon, threads);
}
std::vector<Recipe> recipes(const BatchNorm& norm, const OpDescription& op, int threads) {
  return forward(op, false, norm.epsilon, threads);
}
std::vector<Recipe> recipes(const BatchNormBackward& norm, const OpDescription& op, int threads) {
  return backward(op, false, norm.epsilon, threads);
}

}  // namespace spillway
