#include <limits>

#include "tests/device/kernel_case.h"

namespace spillway {

namespace {

using Inputs = std::vector<TestTensor>;

/// The two parts of a concatenation, element by element.
void for_each_pair(const Shape& part, const Shape& both, std::int64_t first_channel,
                   const std::function<void(std::size_t, std::size_t)>& use) {
  for (std::int64_t n = 0; n < part.n; ++n) {
    for (std::int64_t c = 0; c < part.c; ++c) {
      for (std::int64_t i = 0; i < part.positions(); ++i) use(part.at(n, c, i), both.at(n, first_channel + c, i));
    }
  }
}

void add_concat_cases(const std::string& name, const Extents& a_extents, std::int64_t b_channels,
                      std::vector<KernelCase>& cases) {
  Extents b_extents = a_extents, both_extents = a_extents;
  b_extents[1] = b_channels, both_extents[1] += b_channels;
  const OperandDescription a = activation(a_extents), b = activation(b_extents), both = activation(both_extents);
  const Shape a_shape(a_extents), b_shape(b_extents), both_shape(both_extents);
  cases.push_back({.name = "Concat" + name,
                   .op = describe_op(Concat{}, {a, b}, {both}),
                   .reference =
                       [=](const Inputs& in) {
                         TestTensor out = zeros(both);
                         for_each_pair(a_shape, both_shape, 0, [&](std::size_t part, std::size_t all) {
                           out.values[all] = in[0].values[part];
                         });
                         for_each_pair(b_shape, both_shape, a_shape.c, [&](std::size_t part, std::size_t all) {
                           out.values[all] = in[1].values[part];
                         });
                         return std::vector<TestTensor>{out};
                       },
                   .tolerance = 0});
  cases.push_back({.name = "ConcatBackward" + name,
                   .op = describe_op(ConcatBackward{}, {both}, {a, b}),
                   .reference =
                       [=](const Inputs& in) {
                         std::vector<TestTensor> out = {zeros(a), zeros(b)};
                         for_each_pair(a_shape, both_shape, 0, [&](std::size_t part, std::size_t all) {
                           out[0].values[part] = in[0].values[all];
                         });
                         for_each_pair(b_shape, both_shape, a_shape.c, [&](std::size_t part, std::size_t all) {
                           out[1].values[part] = in[0].values[all];
                         });
                         return out;
                       },
                   .tolerance = 0});
}

void add_upsample_cases(const std::string& name, const Extents& extents, std::int64_t factor,
                        std::vector<KernelCase>& cases) {
  Extents large = extents;
  for (std::size_t i = 2; i < large.size(); ++i) large[i] *= factor;
  const OperandDescription x = activation(extents), y = activation(large);
  // Nearest neighbour is a window as wide as its stride, seen from the other side.
  const Extents sides(extents.size() - 2, factor);
  const Window window{sides, sides, Extents(sides.size(), 0)};
  const Shape x_shape(extents), y_shape(large);
  const auto for_each = [=](const std::function<void(std::size_t, std::size_t)>& use) {
    for_each_tap(window, y_shape, x_shape, [&](std::int64_t fine, std::int64_t coarse, std::int64_t) {
      for (std::int64_t n = 0; n < x_shape.n; ++n) {
        for (std::int64_t c = 0; c < x_shape.c; ++c) use(x_shape.at(n, c, coarse), y_shape.at(n, c, fine));
      }
    });
  };
  cases.push_back({.name = "Upsample" + name,
                   .op = describe_op(Upsample{factor}, {x}, {y}),
                   .reference =
                       [=](const Inputs& in) {
                         TestTensor out = zeros(y);
                         for_each([&](std::size_t ix, std::size_t iy) { out.values[iy] = in[0].values[ix]; });
                         return std::vector<TestTensor>{out};
                       },
                   .tolerance = 0});
  cases.push_back({.name = "UpsampleBackward" + name,
                   .op = describe_op(UpsampleBackward{factor}, {y}, {x}),
                   .reference = [=](const Inputs& in) {
                     TestTensor out = zeros(x);
                     for_each([&](std::size_t ix, std::size_t iy) { out.values[ix] += in[0].values[iy]; });
                     return std::vector<TestTensor>{out};
                   }});
}

/// y and choice of x under the window.
std::vector<TestTensor> max_pool(const Window& window, const TestTensor& x, const OperandDescription& y_description,
                                 const OperandDescription& choice_description) {
  const Shape x_shape(x.description.extents), y_shape(y_description.extents);
  std::vector<TestTensor> out = {zeros(y_description), zeros(choice_description)};
  out[0].values.assign(out[0].values.size(), -std::numeric_limits<double>::infinity());
  for_each_tap(window, x_shape, y_shape, [&](std::int64_t from, std::int64_t to, std::int64_t element) {
    for (std::int64_t n = 0; n < x_shape.n; ++n) {
      for (std::int64_t c = 0; c < x_shape.c; ++c) {
        const double value = x.values[x_shape.at(n, c, from)];
        const std::size_t at = y_shape.at(n, c, to);
        if (value > out[0].values[at]) out[0].values[at] = value, out[1].values[at] = static_cast<double>(element);
      }
    }
  });
  return out;
}

void add_max_pool_cases(const std::string& name, const Extents& extents, std::int64_t kernel, std::int64_t stride,
                        std::int64_t padding, std::vector<KernelCase>& cases) {
  const std::size_t dimensions = extents.size() - 2;
  const Window window{Extents(dimensions, kernel), Extents(dimensions, stride), Extents(dimensions, padding)};
  Extents small = extents;
  for (std::size_t i = 2; i < small.size(); ++i) small[i] = (small[i] + 2 * padding - kernel) / stride + 1;
  const OperandDescription x = activation(extents), y = activation(small),
                           choice = operand(ElementType::uint8, true, small);
  cases.push_back({.name = "MaxPool" + name,
                   .op = describe_op(MaxPool{window}, {x}, {y, choice}),
                   .reference = [=](const Inputs& in) { return max_pool(window, in[0], y, choice); },
                   .tolerance = 0});
  const Shape x_shape(extents), y_shape(small);
  cases.push_back({.name = "MaxPoolBackward" + name,
                   .op = describe_op(MaxPoolBackward{window}, {y, choice}, {x}),
                   .prepare =
                       [=](Inputs& in) {
                         TestTensor some = zeros(x);
                         for (std::size_t i = 0; i < some.values.size(); ++i)
                           some.values[i] = static_cast<double>(i * 37 % 101);
                         in[1] = max_pool(window, some, y, choice)[1];
                       },
                   .reference =
                       [=](const Inputs& in) {
                         TestTensor out = zeros(x);
                         for_each_tap(window, x_shape, y_shape,
                                      [&](std::int64_t from, std::int64_t to, std::int64_t element) {
                                        for (std::int64_t n = 0; n < x_shape.n; ++n) {
                                          for (std::int64_t c = 0; c < x_shape.c; ++c) {
                                            const std::size_t at = y_shape.at(n, c, to);
                                            if (in[1].values[at] == static_cast<double>(element)) {
                                              out.values[x_shape.at(n, c, from)] += in[0].values[at];
                                            }
                                          }
                                        }
                                      });
                         return std::vector<TestTensor>{out};
                       }});
}

void add_average_cases(const std::string& name, const Extents& extents, std::vector<KernelCase>& cases) {
  const OperandDescription x = activation(extents), y = activation({extents[0], extents[1]});
  const auto positions = static_cast<std::size_t>(Shape(extents).positions());
  cases.push_back({.name = "GlobalAveragePool" + name,
                   .op = describe_op(GlobalAveragePool{}, {x}, {y}),
                   .reference =
                       [=](const Inputs& in) {
                         TestTensor out = zeros(y);
                         for (std::size_t i = 0; i < in[0].values.size(); ++i) {
                           out.values[i / positions] += in[0].values[i] / static_cast<double>(positions);
                         }
                         return std::vector<TestTensor>{out};
                       },
                   .tolerance = 2e-5});
  cases.push_back({.name = "GlobalAveragePoolBackward" + name,
                   .op = describe_op(GlobalAveragePoolBackward{}, {y}, {x}),
                   .reference = [=](const Inputs& in) {
                     TestTensor out = zeros(x);
                     for (std::size_t i = 0; i < out.values.size(); ++i) {
                       out.values[i] = in[0].values[i / positions] / static_cast<double>(positions);
                     }
                     return std::vector<TestTensor>{out};
                   }});
}

}  // namespace

std::vector<KernelCase> shape_cases() {
  std::vector<KernelCase> cases;
  add_concat_cases("Odd", {2, 3, 5, 4}, 5, cases);
  add_concat_cases("3d", {2, 16, 3, 2, 4}, 16, cases);
  add_concat_cases("1d", {2, 1, 7}, 32, cases);
  add_upsample_cases("1d", {2, 3, 5}, 2, cases);
  add_upsample_cases("2dByThree", {2, 5, 3, 4}, 3, cases);
  add_upsample_cases("3d", {2, 16, 2, 3, 4}, 2, cases);
  add_max_pool_cases("3d", {2, 16, 4, 6, 2}, 2, 2, 0, cases);
  add_max_pool_cases("2dOverlapping", {2, 32, 9, 7}, 3, 2, 1, cases);
  add_max_pool_cases("2dOdd", {2, 5, 7, 6}, 3, 2, 1, cases);
  add_max_pool_cases("1d", {2, 8, 10}, 2, 2, 0, cases);
  add_average_cases("2d", {2, 32, 7, 7}, cases);
  add_average_cases("3dOdd", {3, 5, 3, 2, 4}, cases);
  return cases;
}

}  // namespace spillway
