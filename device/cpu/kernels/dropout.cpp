#include <algorithm>

#include "core/philox.h"
#include "device/cpu/kernels/loops.h"
#include "device/cpu/kernels/onednn.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

/// Few channels are repeated until they fill this many factors, so that the inner loop is long enough to be vectorised.
constexpr std::int64_t kRow = 64;

std::int64_t repeats(std::int64_t channels) {
  return std::max<std::int64_t>(kRow / channels, 1);
}

/// What each channel of sample `sample` is multiplied by.
void fill_factors(const ChannelDropout& dropout, std::int64_t sample, std::int64_t seed, std::int64_t step,
                  std::int64_t channels, float* factors) {
  const auto word = [](std::int64_t value) { return static_cast<std::uint32_t>(static_cast<std::uint64_t>(value)); };
  const auto kept = static_cast<float>(1.0 / (1.0 - dropout.rate));
  for (std::int64_t c = 0; c < channels; ++c) {
    const auto random =
        philox4x32_10({word(c), word(sample), word(dropout.salt), word(step)}, {word(seed), word(seed >> 32)});
    factors[c] = unit_interval(random[0]) >= dropout.rate ? kept : 0.0F;
  }
}

}  // namespace

std::vector<Recipe> recipes(const ChannelDropout& dropout, const OpDescription& op, int) {
  const Grid grid = grid_of(op.inputs[0].extents);
  const std::int64_t row = grid.channels * repeats(grid.channels);
  RecipeBuilder builder;
  const Place place = builder.workspace(4_B * row);
  builder.add([dropout, grid, row, offset = place.offset](const Operands& operands) {
    auto* factors = reinterpret_cast<float*>(operands.workspace + offset.value);
    const std::int64_t seed = *operands.input<std::int64_t>(1), step = *operands.input<std::int64_t>(2);
    const std::int64_t first_sample = *operands.input<std::int64_t>(3);
    const float* x = operands.input(0);
    float* y = operands.output(0);
    for (std::int64_t n = 0; n < grid.samples; ++n) {
      fill_factors(dropout, first_sample + n, seed, step, grid.channels, factors);
      for (std::int64_t i = grid.channels; i < row; ++i) factors[i] = factors[i - grid.channels];
      for (std::int64_t left = grid.channels * grid.positions(); left > 0;) {
        const std::int64_t count = std::min(left, row);
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * factors[i];
        x += count, y += count, left -= count;
      }
    }
  });
  std::vector<Recipe> all;
  all.push_back(builder.finish(loop_id()));
  return all;
}

}  // namespace spillway
