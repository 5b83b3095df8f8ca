#include "tests/device/operand_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/fill.h"

namespace spillway {

namespace {

/// Index in memory of each element in logical order: only activations with space depend on the layout.
std::vector<std::size_t> memory_order(const OperandDescription& description, Layout layout) {
  std::vector<std::size_t> order(static_cast<std::size_t>(elements(description)));
  const bool moved = description.batched && description.extents.size() > 2 && layout == Layout::channels_last;
  const Shape shape(moved ? description.extents : Extents{1, 1, 1});
  const auto positions = static_cast<std::size_t>(shape.positions()), channels = static_cast<std::size_t>(shape.c);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t position = i % positions, channel = i / positions % channels, sample = i / positions / channels;
    order[i] = moved ? (sample * positions + position) * channels + channel : i;
  }
  return order;
}

/// Calls `use` with a value of the type that the operand's elements have.
template <class Use>
void with_type(ElementType type, Use&& use) {
  switch (type) {
    case ElementType::float32: return use(float{});
    case ElementType::int32: return use(std::int32_t{});
    case ElementType::int64: return use(std::int64_t{});
    case ElementType::uint8: return use(std::uint8_t{});
  }
}

void store(const TestTensor& tensor, Layout layout, std::byte* to) {
  const auto order = memory_order(tensor.description, layout);
  with_type(tensor.description.type, [&](auto zero) {
    for (std::size_t i = 0; i < order.size(); ++i)
      reinterpret_cast<decltype(zero)*>(to)[order[i]] = static_cast<decltype(zero)>(tensor.values[i]);
  });
}

TestTensor load(const OperandDescription& description, Layout layout, const std::byte* from) {
  TestTensor tensor = zeros(description);
  const auto order = memory_order(description, layout);
  with_type(description.type, [&](auto zero) {
    for (std::size_t i = 0; i < order.size(); ++i)
      tensor.values[i] = static_cast<double>(reinterpret_cast<const decltype(zero)*>(from)[order[i]]);
  });
  return tensor;
}

}  // namespace

std::vector<TestTensor> rounded_inputs(const KernelCase& kernel_case) {
  std::vector<TestTensor> inputs;
  for (const OperandDescription& description : kernel_case.op.inputs) {
    TestTensor tensor = zeros(description);
    std::vector<float> random(tensor.values.size());
    fill_uniform(random, kernel_case.name, inputs.size(), -1, 1);
    std::ranges::copy(random, tensor.values.begin());
    inputs.push_back(std::move(tensor));
  }
  if (kernel_case.prepare) kernel_case.prepare(inputs);
  for (TestTensor& tensor : inputs) {
    with_type(tensor.description.type, [&](auto zero) {
      for (double& value : tensor.values) value = static_cast<double>(static_cast<decltype(zero)>(value));
    });
  }
  return inputs;
}

std::vector<OpDescription> variants_of(const KernelCase& kernel_case, const std::vector<Layout>& layouts) {
  std::vector<OpDescription> ops;
  for (const Layout layout : layouts) {
    ops.push_back(kernel_case.op);
    ops.back().layout = layout;
    for (const auto& in_place : kernel_case.in_place) {
      ops.push_back(kernel_case.op);
      ops.back().layout = layout;
      ops.back().in_place = in_place;
    }
  }
  return ops;
}

void expect_near(const std::vector<TestTensor>& got, const std::vector<TestTensor>& expected, double tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t output = 0; output < got.size(); ++output) {
    double largest = 0;
    for (const double value : expected[output].values) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < expected[output].values.size(); ++i) {
      const double value = got[output].values[i];
      ASSERT_TRUE(std::abs(value - expected[output].values[i]) <= tolerance * largest)  // false for NaN
          << "output " << output << ", element " << i << " in logical order: " << value << " instead of "
          << expected[output].values[i];
    }
  }
}

OperandMemory::OperandMemory(const OpDescription& op, Bytes workspace, const std::vector<TestTensor>& values,
                             std::byte start, std::size_t alignment)
    : op_(op), alignment_(alignment), used_(alignment) {
  for (const TestTensor& value : values) inputs_.push_back(reserve(bytes(value.description)));
  for (std::size_t i = 0; i < op.outputs.size(); ++i) {
    const int shared = op.in_place[i];
    outputs_.push_back(shared >= 0 ? inputs_[static_cast<std::size_t>(shared)] : reserve(bytes(op.outputs[i])));
  }
  workspace_ = reserve(workspace);
  memory_.assign(used_ + alignment_, kUntouched);
  base_ = memory_.data() + (alignment_ - reinterpret_cast<std::uintptr_t>(memory_.data()) % alignment_);
  for (std::size_t i = 0; i < op.outputs.size(); ++i) open(outputs_[i], bytes(op.outputs[i]), start);
  open(workspace_, workspace, start);
  for (std::size_t i = 0; i < values.size(); ++i) store(values[i], op.layout, base_ + inputs_[i]);
  before_ = memory_;
}

bool OperandMemory::only_allowed_bytes_written() const {
  for (std::size_t i = 0; i < memory_.size(); ++i) {
    if (memory_[i] == before_[i]) continue;
    const auto at = static_cast<std::size_t>(memory_.data() + i - base_);
    if (std::ranges::none_of(open_, [&](const auto& range) { return at - range.first < range.second; })) return false;
  }
  return true;
}

OperandMemory::Offsets OperandMemory::offsets() const {
  const auto at = [](std::size_t offset) { return Bytes{static_cast<std::int64_t>(offset)}; };
  Offsets offsets{.inputs = {}, .outputs = {}, .workspace = at(workspace_)};
  std::ranges::transform(inputs_, std::back_inserter(offsets.inputs), at);
  std::ranges::transform(outputs_, std::back_inserter(offsets.outputs), at);
  return offsets;
}

std::vector<TestTensor> OperandMemory::outputs() const {
  std::vector<TestTensor> all;
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    all.push_back(load(op_.outputs[i], op_.layout, base_ + outputs_[i]));
  return all;
}

std::span<const std::byte> OperandMemory::output_bytes(std::size_t index) const {
  return {base_ + outputs_[index], static_cast<std::size_t>(bytes(op_.outputs[index]).value)};
}

std::size_t OperandMemory::reserve(Bytes size) {
  const std::size_t offset = used_;
  // At least one line of untouched bytes behind each operand, beside what rounding leaves.
  used_ += static_cast<std::size_t>(align_up(size, {static_cast<std::int64_t>(alignment_)}).value) + alignment_;
  return offset;
}

void OperandMemory::open(std::size_t offset, Bytes size, std::byte start) {
  open_.emplace_back(offset, static_cast<std::size_t>(size.value));
  std::fill_n(base_ + offset, size.value, start);
}

}  // namespace spillway
