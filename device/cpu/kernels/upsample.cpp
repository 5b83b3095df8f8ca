#include <algorithm>
#include <cstddef>

#include "device/cpu/kernels/loops.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

/// The small grid, and how many fine positions each of its positions becomes in each direction.
struct Blocks {
  Blocks(const Extents& small, std::int64_t by) : coarse(grid_of(small)), columns(coarse.space[2]) {
    for (std::size_t i = 0; i < 3; ++i) factor[i] = coarse.is_spatial[i] ? by : 1;
    planes = coarse.samples * coarse.space[0];
    rows = coarse.space[1];
    coarse_row = columns * coarse.channels;
    fine_row = coarse_row * factor[2];
  }

  Grid coarse;
  std::int64_t columns;
  std::array<std::int64_t, 3> factor{};
  std::int64_t planes, rows;          ///< of the coarse grid; the samples' planes lie one after the other
  std::int64_t coarse_row, fine_row;  ///< floats

  /// Where the fine row lies that is `plane` and `row` into the block of the coarse row, in floats.
  [[nodiscard]] std::int64_t fine(std::int64_t coarse_plane, std::int64_t coarse_line, std::int64_t plane,
                                  std::int64_t row) const {
    return ((coarse_plane * factor[0] + plane) * rows * factor[1] + coarse_line * factor[1] + row) * fine_row;
  }
};

void widen(const Blocks& blocks, const float* coarse, float* fine) {
  const std::int64_t channels = blocks.coarse.channels;
  for (std::int64_t w = 0; w < blocks.columns; ++w, coarse += channels) {
    for (std::int64_t f = 0; f < blocks.factor[2]; ++f, fine += channels) {
      for (std::int64_t c = 0; c < channels; ++c) fine[c] = coarse[c];
    }
  }
}

void add_narrowed(const Blocks& blocks, const float* fine, float* coarse) {
  const std::int64_t channels = blocks.coarse.channels;
  for (std::int64_t w = 0; w < blocks.columns; ++w, coarse += channels) {
    for (std::int64_t f = 0; f < blocks.factor[2]; ++f, fine += channels) {
#pragma GCC ivdep
      for (std::int64_t c = 0; c < channels; ++c) coarse[c] += fine[c];
    }
  }
}

}  // namespace

std::vector<Recipe> recipes(const Upsample& upsample, const OpDescription& op, int) {
  return loop_recipe([blocks = Blocks(op.inputs[0].extents, upsample.factor)](const Operands& operands) {
    const float* x = operands.input(0);
    float* y = operands.output(0);
    for (std::int64_t plane = 0; plane < blocks.planes; ++plane) {
      for (std::int64_t line = 0; line < blocks.rows; ++line, x += blocks.coarse_row) {
        for (std::int64_t i = 0; i < blocks.factor[0]; ++i) {
          for (std::int64_t j = 0; j < blocks.factor[1]; ++j) widen(blocks, x, y + blocks.fine(plane, line, i, j));
        }
      }
    }
  });
}

std::vector<Recipe> recipes(const UpsampleBackward& upsample, const OpDescription& op, int) {
  return loop_recipe([blocks = Blocks(op.outputs[0].extents, upsample.factor)](const Operands& operands) {
    const float* dy = operands.input(0);
    float* dx = operands.output(0);
    for (std::int64_t plane = 0; plane < blocks.planes; ++plane) {
      for (std::int64_t line = 0; line < blocks.rows; ++line, dx += blocks.coarse_row) {
        std::fill_n(dx, blocks.coarse_row, 0.0F);
        for (std::int64_t i = 0; i < blocks.factor[0]; ++i) {
          for (std::int64_t j = 0; j < blocks.factor[1]; ++j)
            add_narrowed(blocks, dy + blocks.fine(plane, line, i, j), dx);
        }
      }
    }
  });
}

}  // namespace spillway
