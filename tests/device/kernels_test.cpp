#include "device/cpu/kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/fill.h"
#include "device/cpu/thread_sanitizer.h"
#include "tests/device/kernel_case.h"

namespace spillway {
namespace {

/// Index in memory of each element in logical order: channels-last for activations with space, as it is for all else.
std::vector<std::size_t> memory_order(const OperandDescription& description) {
  std::vector<std::size_t> order(static_cast<std::size_t>(elements(description)));
  const bool spatial = description.batched && description.extents.size() > 2;
  const Shape shape(spatial ? description.extents : Extents{1, 1, 1});
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto positions = static_cast<std::size_t>(shape.positions()), channels = static_cast<std::size_t>(shape.c);
    const std::size_t position = i % positions, channel = i / positions % channels, sample = i / positions / channels;
    order[i] = spatial ? (sample * positions + position) * channels + channel : i;
  }
  return order;
}

template <class T>
void store_as(const TestTensor& tensor, std::byte* to) {
  const auto order = memory_order(tensor.description);
  for (std::size_t i = 0; i < order.size(); ++i) reinterpret_cast<T*>(to)[order[i]] = static_cast<T>(tensor.values[i]);
}
void store(const TestTensor& tensor, std::byte* to) {
  switch (tensor.description.type) {
    case ElementType::float32: return store_as<float>(tensor, to);
    case ElementType::int32: return store_as<std::int32_t>(tensor, to);
    case ElementType::int64: return store_as<std::int64_t>(tensor, to);
    case ElementType::uint8: return store_as<std::uint8_t>(tensor, to);
  }
}

template <class T>
TestTensor load_as(const OperandDescription& description, const std::byte* from) {
  TestTensor tensor = zeros(description);
  const auto order = memory_order(description);
  for (std::size_t i = 0; i < order.size(); ++i)
    tensor.values[i] = static_cast<double>(reinterpret_cast<const T*>(from)[order[i]]);
  return tensor;
}
TestTensor load(const OperandDescription& description, const std::byte* from) {
  switch (description.type) {
    case ElementType::float32: return load_as<float>(description, from);
    case ElementType::int32: return load_as<std::int32_t>(description, from);
    case ElementType::int64: return load_as<std::int64_t>(description, from);
    case ElementType::uint8: return load_as<std::uint8_t>(description, from);
  }
  return {};
}

/// The case's inputs: random numbers that floats hold exactly, then made to fit together, then rounded to what memory
/// holds.
std::vector<TestTensor> inputs_of(const KernelCase& kernel_case) {
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
    std::vector<std::byte> bytes(static_cast<std::size_t>(spillway::bytes(tensor.description).value));
    store(tensor, bytes.data());
    tensor = load(tensor.description, bytes.data());
  }
  return inputs;
}

/// Memory for one run. Between the operands lie bytes that nobody may touch.
class TestMemory {
 public:
  /// `start` is what outputs and workspace hold before the run.
  TestMemory(const OpDescription& op, Bytes workspace, const std::vector<TestTensor>& values, std::byte start) {
    for (const TestTensor& value : values) inputs.push_back(reserve(bytes(value.description)));
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      const int shared = op.in_place[i];
      outputs.push_back(shared >= 0 ? inputs[static_cast<std::size_t>(shared)] : reserve(bytes(op.outputs[i])));
    }
    workspace_ = reserve(workspace);
    memory_.assign(used_ + kAlignment, kUntouched);
    base_ = memory_.data() + (kAlignment - reinterpret_cast<std::uintptr_t>(memory_.data()) % kAlignment);
    for (std::size_t i = 0; i < op.outputs.size(); ++i) open(outputs[i], bytes(op.outputs[i]), start);
    open(workspace_, workspace, start);
    for (std::size_t i = 0; i < values.size(); ++i) store(values[i], base_ + inputs[i]);
    before_ = memory_;
  }

  void run(CpuKernel& kernel) {
    std::vector<std::byte*> in, out;
    for (const std::size_t offset : inputs) in.push_back(base_ + offset);
    for (const std::size_t offset : outputs) out.push_back(base_ + offset);
    kernel.run(in, out, base_ + workspace_);
  }

  /// Whether every byte outside outputs and workspace is what it was.
  [[nodiscard]] bool only_allowed_bytes_written() const {
    for (std::size_t i = 0; i < memory_.size(); ++i) {
      const auto at = static_cast<std::size_t>(memory_.data() + i - base_);
      const bool allowed =
          std::ranges::any_of(open_, [&](const auto& range) { return at - range.first < range.second; });
      if (!allowed && memory_[i] != before_[i]) return false;
    }
    return true;
  }
  [[nodiscard]] const std::byte* output(std::size_t index) const { return base_ + outputs[index]; }

  std::vector<std::size_t> inputs, outputs;  ///< offsets

 private:
  static constexpr std::size_t kAlignment = 64;
  static constexpr std::byte kUntouched{0xa5};

  std::size_t reserve(Bytes size) {
    const std::size_t offset = used_;
    // At least one line of untouched bytes behind each operand, beside what rounding leaves.
    used_ += static_cast<std::size_t>(align_up(size, {64}).value) + kAlignment;
    return offset;
  }
  void open(std::size_t offset, Bytes size, std::byte start) {
    open_.emplace_back(offset, static_cast<std::size_t>(size.value));
    std::fill_n(base_ + offset, size.value, start);
  }

  std::size_t used_ = kAlignment, workspace_ = 0;
  std::vector<std::byte> memory_, before_;
  std::byte* base_ = nullptr;
  std::vector<std::pair<std::size_t, std::size_t>> open_;
};

void expect_near(const TestTensor& got, const TestTensor& expected, double tolerance) {
  double largest = 0;
  for (const double value : expected.values) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    // Not EXPECT_NEAR: a NaN must fail, and one failure is enough.
    ASSERT_LE(std::abs(got.values[i] - expected.values[i]), tolerance * largest)
        << "element " << i << " in logical order";
    ASSERT_FALSE(std::isnan(got.values[i])) << "element " << i << " in logical order";
  }
}

#ifdef SPILLWAY_THREAD_SANITIZER
// OpenMP's barriers are invisible to ThreadSanitizer: with two threads it reports races of oneDNN with itself.
constexpr std::array kThreadCounts{1};
#else
constexpr std::array kThreadCounts{1, 2};
#endif

class Kernels : public testing::TestWithParam<KernelCase> {
 protected:
  /// The case's op, first with nothing in place, then in each other way.
  static std::vector<OpDescription> variants() {
    std::vector<OpDescription> ops = {GetParam().op};
    for (const auto& in_place : GetParam().in_place) {
      ops.push_back(GetParam().op);
      ops.back().in_place = in_place;
    }
    return ops;
  }

  /// All options on one thread; on more only the best, since waiting for a second thread takes long on a busy machine.
  static std::vector<KernelOption> options_of(const OpDescription& op, int threads) {
    std::vector<KernelOption> options = cpu_kernels(op, threads);
    if (threads > 1 && options.size() > 1) options.resize(1);
    return options;
  }
};

TEST_P(Kernels, AllGiveTheReferencesResultAndTouchNothingElse) {
  const std::vector<TestTensor> inputs = inputs_of(GetParam());
  const std::vector<TestTensor> expected = GetParam().reference(inputs);
  for (const int threads : kThreadCounts) {
    for (const OpDescription& op : variants()) {
      const std::vector<KernelOption> options = options_of(op, threads);
      ASSERT_FALSE(options.empty());
      for (const KernelOption& option : options) {
        SCOPED_TRACE(testing::Message() << option.id << ", first output in place of input " << op.in_place[0]);
        // A workspace of NaN: what a kernel reads there it must have written.
        TestMemory memory(op, option.workspace, inputs, std::byte{0xff});
        memory.run(*make_cpu_kernel(op, option.id, threads));
        EXPECT_TRUE(memory.only_allowed_bytes_written());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          SCOPED_TRACE(testing::Message() << "output " << i);
          expect_near(load(op.outputs[i], memory.output(i)), expected[i], GetParam().tolerance);
        }
      }
    }
  }
}

TEST_P(Kernels, GiveTheSameBitsInEveryRunAtOtherAddressesAndOverOtherGarbage) {
  const std::vector<TestTensor> inputs = inputs_of(GetParam());
  for (const int threads : kThreadCounts) {
    for (const OpDescription& op : variants()) {
      for (const KernelOption& option : options_of(op, threads)) {
        SCOPED_TRACE(option.id);
        const auto kernel = make_cpu_kernel(op, option.id, threads), again = make_cpu_kernel(op, option.id, threads);
        TestMemory first(op, option.workspace, inputs, std::byte{0xff}),
            second(op, option.workspace, inputs, std::byte{0x00}), third(op, option.workspace, inputs, std::byte{0x3f});
        first.run(*kernel);
        second.run(*kernel);
        third.run(*again);
        for (std::size_t i = 0; i < op.outputs.size(); ++i) {
          const auto size = static_cast<std::size_t>(bytes(op.outputs[i]).value);
          EXPECT_EQ(std::memcmp(first.output(i), second.output(i), size), 0) << "output " << i;
          EXPECT_EQ(std::memcmp(first.output(i), third.output(i), size), 0) << "output " << i;
        }
      }
    }
  }
}

TEST_P(Kernels, AreListedOnceEachAndTheSameOnEveryCall) {
  std::vector<std::string> ids, again;
  for (const KernelOption& option : cpu_kernels(GetParam().op, 1)) ids.push_back(option.id);
  for (const KernelOption& option : cpu_kernels(GetParam().op, 1)) again.push_back(option.id);
  EXPECT_EQ(ids, again);
  EXPECT_THAT(ids, testing::Each(testing::EndsWith("threads=1")));
  std::ranges::sort(ids);
  EXPECT_EQ(std::ranges::adjacent_find(ids), ids.end());
}

const auto kName = [](const testing::TestParamInfo<KernelCase>& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Convolution, Kernels, testing::ValuesIn(convolution_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Linear, Kernels, testing::ValuesIn(linear_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Normalization, Kernels, testing::ValuesIn(normalization_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Elementwise, Kernels, testing::ValuesIn(elementwise_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Shapes, Kernels, testing::ValuesIn(shape_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Losses, Kernels, testing::ValuesIn(loss_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Updates, Kernels, testing::ValuesIn(update_cases()), kName);

}  // namespace
}  // namespace spillway
