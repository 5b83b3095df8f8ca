#include "device/cpu/kernels/loops.h"
#include "device/cpu/kernels/recipes.h"

// Loops and not oneDNN's concat: that one takes no scratchpad from us, so its bytes would be uncounted.

namespace spillway {

namespace {

/// Channels of the two parts and how many positions have them.
struct Halves {
  Halves(const Extents& a, const Extents& b)
      : first(a[1]), second(b[1]), positions(grid_of(a).samples * grid_of(a).positions()) {}
  std::int64_t first, second, positions;
};

void copy(const float* from, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
}

}  // namespace

std::vector<Recipe> recipes(const Concat&, const OpDescription& op, int) {
  return loop_recipe([halves = Halves(op.inputs[0].extents, op.inputs[1].extents)](const Operands& operands) {
    const float *a = operands.input(0), *b = operands.input(1);
    float* both = operands.output(0);
    for (std::int64_t i = 0; i < halves.positions; ++i) {
      copy(a, halves.first, both);
      copy(b, halves.second, both + halves.first);
      a += halves.first, b += halves.second, both += halves.first + halves.second;
    }
  });
}

std::vector<Recipe> recipes(const ConcatBackward&, const OpDescription& op, int) {
  return loop_recipe([halves = Halves(op.outputs[0].extents, op.outputs[1].extents)](const Operands& operands) {
    const float* both = operands.input(0);
    float *a = operands.output(0), *b = operands.output(1);
    for (std::int64_t i = 0; i < halves.positions; ++i) {
      copy(both, halves.first, a);
      copy(both + halves.first, halves.second, b);
      a += halves.first, b += halves.second, both += halves.first + halves.second;
    }
  });
}

}  // namespace spillway
