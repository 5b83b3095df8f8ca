#include "tests/device/kernel_case.h"

#include <ostream>

namespace spillway {

OperandDescription operand(ElementType type, bool batched, Extents extents) {
  return {type, batched, std::move(extents)};
}
OperandDescription activation(Extents extents) {
  return operand(ElementType::float32, true, std::move(extents));
}
OperandDescription parameter(Extents extents) {
  return operand(ElementType::float32, false, std::move(extents));
}

OpDescription describe_op(Attributes attributes, std::vector<OperandDescription> inputs,
                          std::vector<OperandDescription> outputs) {
  std::vector<int> in_place(outputs.size(), -1);
  return {std::move(attributes), Layout::channels_last, std::move(inputs), std::move(outputs), std::move(in_place)};
}

TestTensor zeros(const OperandDescription& description) {
  return {description, std::vector<double>(static_cast<std::size_t>(elements(description)), 0.0)};
}

Shape::Shape(const Extents& extents) : n(extents[0]), c(extents[1]) {
  std::int64_t* space[] = {&d, &h, &w};
  for (std::size_t i = 2; i < extents.size(); ++i) *space[i + 3 - extents.size()] = extents[i];
}

Window3d::Window3d(const Window& window) {
  const std::size_t missing = 3 - window.kernel.size();
  for (std::size_t i = 0; i < window.kernel.size(); ++i) {
    kernel[missing + i] = window.kernel[i];
    stride[missing + i] = window.stride[i];
    padding[missing + i] = window.padding[i];
  }
}

void for_each_tap(const Window& window, const Shape& x, const Shape& y,
                  const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& tap) {
  const Window3d all(window);
  const std::int64_t size[] = {x.d, x.h, x.w};
  for (std::int64_t position = 0; position < y.positions(); ++position) {
    const std::int64_t corner[] = {position / (y.h * y.w) * all.stride[0] - all.padding[0],
                                   position / y.w % y.h * all.stride[1] - all.padding[1],
                                   position % y.w * all.stride[2] - all.padding[2]};
    std::int64_t element = 0;
    for (std::int64_t i = corner[0]; i < corner[0] + all.kernel[0]; ++i) {
      for (std::int64_t j = corner[1]; j < corner[1] + all.kernel[1]; ++j) {
        for (std::int64_t k = corner[2]; k < corner[2] + all.kernel[2]; ++k, ++element) {
          const bool inside = i >= 0 && i < size[0] && j >= 0 && j < size[1] && k >= 0 && k < size[2];
          if (inside) tap((i * x.h + j) * x.w + k, position, element);
        }
      }
    }
  }
}

void PrintTo(const KernelCase& kernel_case, std::ostream* out) {
  *out << kernel_case.name;
}

}  // namespace spillway
