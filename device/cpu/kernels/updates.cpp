#include <algorithm>
#include <cmath>

#include "device/cpu/kernels/loops.h"
#include "device/cpu/kernels/recipes.h"

// What happens to parameters and state: the optimizer, sums of gradients, the step's number, running statistics.

namespace spillway {

namespace {

/// base^exponent by squaring: the same bits with every C library.
double power(double base, std::int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base) {
    if ((exponent & 1) != 0) result *= base;
  }
  return result;
}

/// The samples of the batch: what the description says, or else the first operand that has a batch.
template <class Description>
std::int64_t batch_of(const Description& op) {
  if constexpr (requires { op.batch; }) {
    return op.batch;
  } else {
    const auto batched = std::ranges::find_if(op.inputs, &OperandDescription::batched);
    return batched == op.inputs.end() ? 1 : batched->extents[0];
  }
}

void move_towards(const float* running, const float* now, std::int64_t count, double momentum, double scale,
                  float* result) {
  for (std::int64_t c = 0; c < count; ++c) {
    result[c] = static_cast<float>((1 - momentum) * static_cast<double>(running[c]) +
                                   momentum * scale * static_cast<double>(now[c]));
  }
}

}  // namespace

std::vector<Recipe> recipes(const AdvanceStep&, const OpDescription&, int) {
  return loop_recipe(
      [](const Operands& operands) { *operands.output<std::int64_t>(0) = *operands.input<std::int64_t>(0) + 1; });
}

std::vector<Recipe> recipes(const SgdMomentum& sgd, const OpDescription& op, int) {
  return loop_recipe(
      [momentum = static_cast<float>(sgd.momentum), count = elements(op.inputs[0])](const Operands& operands) {
        const float *w = operands.input(0), *dw = operands.input(1), *velocity = operands.input(2);
        const float rate = *operands.input(3);
        float *new_w = operands.output(0), *new_velocity = operands.output(1);
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) {
          const float v = momentum * velocity[i] + dw[i];
          new_velocity[i] = v;
          new_w[i] = w[i] - rate * v;
        }
      });
}

std::vector<Recipe> recipes(const Adam& adam, const OpDescription& op, int) {
  return loop_recipe([adam, count = elements(op.inputs[0])](const Operands& operands) {
    const float *w = operands.input(0), *dw = operands.input(1), *m = operands.input(2), *v = operands.input(3);
    const auto rate = static_cast<double>(*operands.input(4));
    const std::int64_t step = *operands.input<std::int64_t>(5);
    float *new_w = operands.output(0), *new_m = operands.output(1), *new_v = operands.output(2);
    // rate m-hat / (sqrt(v-hat) + epsilon), with the two corrections taken out of the loop.
    const auto size = static_cast<float>(rate / (1 - power(adam.beta1, step)));
    const auto correction = static_cast<float>(1 / std::sqrt(1 - power(adam.beta2, step)));
    const auto beta1 = static_cast<float>(adam.beta1), rest1 = static_cast<float>(1 - adam.beta1);
    const auto beta2 = static_cast<float>(adam.beta2), rest2 = static_cast<float>(1 - adam.beta2);
    const auto epsilon = static_cast<float>(adam.epsilon);
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) {
      const float mean = beta1 * m[i] + rest1 * dw[i];
      const float square = beta2 * v[i] + rest2 * (dw[i] * dw[i]);
      new_m[i] = mean;
      new_v[i] = square;
      new_w[i] = w[i] - size * (mean / (std::sqrt(square) * correction + epsilon));
    }
  });
}

std::vector<Recipe> recipes(const Accumulate& accumulate, const OpDescription& op, int) {
  std::vector<std::int64_t> counts;
  for (const OperandDescription& sum : op.outputs) counts.push_back(elements(sum));
  return loop_recipe([scale = static_cast<float>(accumulate.scale), counts](const Operands& operands) {
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const float *sum = operands.input(2 * i), *part = operands.input(2 * i + 1);
      float* result = operands.output(i);
#pragma GCC ivdep
      for (std::int64_t k = 0; k < counts[i]; ++k) result[k] = scale * (sum[k] + part[k]);
    }
  });
}

std::vector<Recipe> recipes(const RunningStatistics& statistics, const OpDescription& op, int) {
  const std::int64_t values = batch_of(op) * statistics.values_per_sample;
  // The variance of a single value has no unbiased form; it stays as it is.
  const double unbiased = values > 1 ? static_cast<double>(values) / static_cast<double>(values - 1) : 1.0;
  return loop_recipe(
      [momentum = statistics.momentum, unbiased, channels = elements(op.inputs[0])](const Operands& operands) {
        move_towards(operands.input(2), operands.input(0), channels, momentum, 1.0, operands.output(0));
        move_towards(operands.input(3), operands.input(1), channels, momentum, unbiased, operands.output(1));
      });
}

}  // namespace spillway
