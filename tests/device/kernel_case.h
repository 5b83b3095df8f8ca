#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/op_description.h"

namespace spillway {

/// A tensor of a test: logical order, channels before space, whatever its type.
struct TestTensor {
  OperandDescription description;
  std::vector<double> values;
};

/// One op at one shape, and what it should give.
struct KernelCase {
  std::string name;
  OpDescription op;
  /// Turns random inputs in [-1, 1) into ones that fit together: labels, statistics of x, results of a forward op.
  std::function<void(std::vector<TestTensor>&)> prepare = nullptr;
  /// The outputs from the inputs, worked out naively in double.
  std::function<std::vector<TestTensor>(const std::vector<TestTensor>&)> reference;
  /// Largest error allowed, relative to the output's largest magnitude. An op that rounds a few times has 1e-6 (float's
  /// epsilon is 1.2e-7); one that adds up n terms in any order has 2e-5, since n is below 1000 and errors grow with
  /// about sqrt(n) epsilon.
  double tolerance = 1e-6;
  /// The ways in which outputs may share bytes with inputs, beside not at all.
  std::vector<std::vector<int>> in_place = {};
};

[[nodiscard]] std::vector<KernelCase> convolution_cases();
[[nodiscard]] std::vector<KernelCase> linear_cases();
[[nodiscard]] std::vector<KernelCase> normalization_cases();
[[nodiscard]] std::vector<KernelCase> elementwise_cases();
[[nodiscard]] std::vector<KernelCase> shape_cases();  ///< concat, upsample, pooling
[[nodiscard]] std::vector<KernelCase> loss_cases();
[[nodiscard]] std::vector<KernelCase> update_cases();

// Building them.

[[nodiscard]] OperandDescription activation(Extents extents);
[[nodiscard]] OperandDescription parameter(Extents extents);
[[nodiscard]] OperandDescription operand(ElementType type, bool batched, Extents extents);
/// Nothing in place.
[[nodiscard]] OpDescription describe_op(Attributes attributes, std::vector<OperandDescription> inputs,
                                        std::vector<OperandDescription> outputs);
[[nodiscard]] TestTensor zeros(const OperandDescription& description);

/// [N, C, space...] seen as [N, C, D, H, W], missing extents being one.
struct Shape {
  explicit Shape(const Extents& extents);
  std::int64_t n = 1, c = 1, d = 1, h = 1, w = 1;
  [[nodiscard]] std::int64_t positions() const { return d * h * w; }
  /// Index in logical order.
  [[nodiscard]] std::size_t at(std::int64_t in, std::int64_t ic, std::int64_t id, std::int64_t ih,
                               std::int64_t iw) const {
    return static_cast<std::size_t>((((in * c + ic) * d + id) * h + ih) * w + iw);
  }
  [[nodiscard]] std::size_t at(std::int64_t in, std::int64_t ic, std::int64_t position) const {
    return static_cast<std::size_t>((in * c + ic) * positions() + position);
  }
};

/// The window with three spatial dimensions, missing ones in front being 1 wide.
struct Window3d {
  explicit Window3d(const Window& window);
  std::int64_t kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, padding[3] = {0, 0, 0};
};
/// Calls `tap(x position, y position, element of the window)` for every pair that the window connects, in the window's
/// order. Positions are indices in [D, H, W] order.
void for_each_tap(const Window& window, const Shape& x, const Shape& y,
                  const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& tap);

/// For GoogleTest's failure messages.
void PrintTo(const KernelCase& kernel_case, std::ostream* out);

}  // namespace spillway
