#include <algorithm>
#include <vector>

#include "device/cpu/kernels/loops.h"
#include "device/cpu/kernels/onednn.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

/// A block is added up in float, lane by lane, and the lanes' sums in double: 64 terms a lane keep the float part near
/// rounding.
constexpr std::int64_t kTerms = 64;
/// Lanes of one block. The channels of these counts repeat in it as they are; others get as many whole repeats as fit,
/// at least one.
constexpr std::int64_t kLanes = 48;

std::int64_t lanes_for(std::int64_t channels) {
  return channels * std::max<std::int64_t>(kLanes / channels, 1);
}

/// Adds to products[i] and totals[i] the sums of y p and y + p over elements i, i + lanes, i + 2 lanes, ... below
/// `count`. `Lanes` is a count known when compiling where possible: then the loops over lanes need no remainder.
template <class Lanes>
void add_block(const float* p, const float* y, std::int64_t count, Lanes lanes, float* products, float* totals) {
  const std::int64_t width = lanes();
  std::fill_n(products, width, 0.0F);
  std::fill_n(totals, width, 0.0F);
  for (; count >= width; count -= width, p += width, y += width) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < width; ++i) {
      products[i] += y[i] * p[i];
      totals[i] += y[i] + p[i];
    }
  }
  for (std::int64_t i = 0; i < count; ++i) {
    products[i] += y[i] * p[i];
    totals[i] += y[i] + p[i];
  }
}

struct RuntimeLanes {
  std::int64_t value;
  std::int64_t operator()() const { return value; }
};
struct FixedLanes {
  constexpr std::int64_t operator()() const { return kLanes; }
};

/// What one run keeps beside its operands.
struct Accumulators {
  explicit Accumulators(std::int64_t channels) : lanes(lanes_for(channels)) {}
  std::int64_t lanes;
  /// Two rows of float lanes, then two rows of double sums by channel.
  [[nodiscard]] Bytes bytes(std::int64_t channels) const { return doubles_offset() + 16_B * channels; }
  [[nodiscard]] Bytes doubles_offset() const { return align_up(8_B * lanes, {64}); }
};

/// sums[0..K) = sum of y p, sums[K..2K) = sum of y + p over one sample, in double.
void sum_sample(const float* p, const float* y, std::int64_t positions, std::int64_t channels,
                const Accumulators& accumulators, std::byte* workspace, double* sums) {
  const std::int64_t lanes = accumulators.lanes;
  auto* products = reinterpret_cast<float*>(workspace);
  float* totals = products + lanes;
  std::fill_n(sums, 2 * channels, 0.0);
  for (std::int64_t left = positions * channels; left > 0;) {
    const std::int64_t count = std::min(left, kTerms * lanes);
    if (lanes == kLanes) {
      add_block(p, y, count, FixedLanes{}, products, totals);
    } else {
      add_block(p, y, count, RuntimeLanes{lanes}, products, totals);
    }
    for (std::int64_t i = 0; i < lanes; ++i) {
      sums[i % channels] += static_cast<double>(products[i]);
      sums[channels + i % channels] += static_cast<double>(totals[i]);
    }
    p += count, y += count, left -= count;
  }
}

}  // namespace

std::vector<Recipe> recipes(const DiceLoss& dice, const OpDescription& op, int) {
  const Grid grid = grid_of(op.inputs[0].extents);
  const Accumulators accumulators(grid.channels);
  RecipeBuilder builder;
  const Place place = builder.workspace(accumulators.bytes(grid.channels));
  builder.add([smoothing = dice.smoothing, grid, accumulators, offset = place.offset](const Operands& operands) {
    std::byte* workspace = operands.workspace + offset.value;
    auto* sample = reinterpret_cast<double*>(workspace + accumulators.doubles_offset().value);
    const std::int64_t channels = grid.channels, size = channels * grid.positions();
    float* sums = operands.output(1);
    double loss = 0;
    for (std::int64_t n = 0; n < grid.samples; ++n, sums += 2 * channels) {
      sum_sample(operands.input(0) + n * size, operands.input(1) + n * size, grid.positions(), channels, accumulators,
                 workspace, sample);
      for (std::int64_t k = 0; k < channels; ++k)
        loss += (2 * sample[k] + smoothing) / (sample[channels + k] + smoothing);
      for (std::int64_t i = 0; i < 2 * channels; ++i) sums[i] = static_cast<float>(sample[i]);
    }
    *operands.output(0) = static_cast<float>(-loss / static_cast<double>(grid.samples * channels));
  });
  std::vector<Recipe> all;
  all.push_back(builder.finish(loop_id()));
  return all;
}

std::vector<Recipe> recipes(const DiceLossBackward& dice, const OpDescription& op, int) {
  const Grid grid = grid_of(op.inputs[0].extents);
  const std::int64_t lanes = lanes_for(grid.channels);
  RecipeBuilder builder;
  const Place place = builder.workspace(8_B * lanes);
  builder.add([smoothing = dice.smoothing, grid, lanes, offset = place.offset](const Operands& operands) {
    // With I = sum(y p), U = sum(y) + sum(p) and M = N K: d loss / dp = -(2 y (U + s) - (2 I + s)) / (M (U + s)^2) =
    // slope y + base.
    auto* slope = reinterpret_cast<float*>(operands.workspace + offset.value);
    float* base = slope + lanes;
    const std::int64_t channels = grid.channels;
    const float *y = operands.input(0), *sums = operands.input(1);
    float* dp = operands.output(0);
    const double mean = 1.0 / static_cast<double>(grid.samples * channels);
    for (std::int64_t n = 0; n < grid.samples; ++n, sums += 2 * channels) {
      for (std::int64_t i = 0; i < lanes; ++i) {
        const double product = static_cast<double>(sums[i % channels]),
                     total = static_cast<double>(sums[channels + i % channels]);
        slope[i] = static_cast<float>(-2 * mean / (total + smoothing));
        base[i] = static_cast<float>(mean * (2 * product + smoothing) / ((total + smoothing) * (total + smoothing)));
      }
      for (std::int64_t left = channels * grid.positions(); left > 0;) {
        const std::int64_t count = std::min(left, lanes);
#pragma GCC ivdep
        for (std::int64_t i = 0; i < count; ++i) dp[i] = slope[i] * y[i] + base[i];
        y += count, dp += count, left -= count;
      }
    }
  });
  std::vector<Recipe> all;
  all.push_back(builder.finish(loop_id()));
  return all;
}

}  // namespace spillway
