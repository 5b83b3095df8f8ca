#include "device/cuda/elements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ostream>

#include "core/error.h"
#include "device/cpu/kernel.h"
#include "device/cuda/element_kernels.h"
#include "device/cuda/elements/sequence.h"
#include "tests/device/cuda/immediate_launches.h"
#include "tests/device/operand_memory.h"

namespace spillway {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The one kernel of ours for an op.
CudaKernel kernel_of(const OpDescription& op, const LaunchTable& launches = immediate_launches()) {
  const std::vector<CudaKernel> kernels = ElementKernels(launches).kernels(op);
  SPILLWAY_CHECK(kernels.size() == 1, std::string(kind_of(op.attributes)));
  return kernels.front();
}

/// Launches on no stream: for launch tables that run on the host.
void run(OperandMemory& memory, const Launch& launch) {
  memory.with_addresses([&](std::span<std::byte* const> in, std::span<std::byte* const> out, std::byte* workspace) {
    const std::vector<const void*> inputs(in.begin(), in.end());
    const std::vector<void*> outputs(out.begin(), out.end());
    launch(nullptr, {inputs, outputs, workspace});
  });
}

/// The outputs of our kernel in logical order.
std::vector<TestTensor> results_of(const OpDescription& op, const std::vector<TestTensor>& inputs) {
  const CudaKernel kernel = kernel_of(op);
  OperandMemory memory(op, kernel.workspace, inputs, std::byte{0xff});
  run(memory, kernel.prepare());
  return memory.outputs();
}

/// The outputs of the CPU device's first kernel. Requires: the op is channels-last.
std::vector<TestTensor> cpu_results_of(const OpDescription& op, const std::vector<TestTensor>& inputs) {
  const KernelOption option = cpu_kernels(op, 1).front();
  OperandMemory memory(op, option.workspace, inputs, std::byte{0xff});
  memory.with_addresses(
      [&](auto in, auto out, std::byte* workspace) { make_cpu_kernel(op, option.id, 1)->run(in, out, workspace); });
  return memory.outputs();
}

const std::vector<Layout> kLayouts{Layout::channels_last, Layout::channels_first};

class Elements : public testing::TestWithParam<KernelCase> {};

TEST_P(Elements, GiveTheReferencesResultAndTouchNothingElse) {
  const std::vector<TestTensor> inputs = rounded_inputs(GetParam());
  const std::vector<TestTensor> expected = GetParam().reference(inputs);
  for (const OpDescription& op : variants_of(GetParam(), kLayouts)) {
    SCOPED_TRACE(testing::Message() << (op.layout == Layout::channels_last ? "channels last" : "channels first")
                                    << ", first output in place of input " << op.in_place[0]);
    const CudaKernel kernel = kernel_of(op);
    // A workspace of NaN: what a kernel reads there it must have written.
    OperandMemory memory(op, kernel.workspace, inputs, std::byte{0xff});
    run(memory, kernel.prepare());
    EXPECT_TRUE(memory.only_allowed_bytes_written());
    // Not the case's own tolerance where that is larger: we add up in double and round once.
    expect_near(memory.outputs(), expected, std::min(GetParam().tolerance, 2e-6));
  }
}

TEST_P(Elements, GiveTheSameBitsInAnyOrderOfIndicesAndOverOtherGarbage) {
  const std::vector<TestTensor> inputs = rounded_inputs(GetParam());
  for (const OpDescription& op : variants_of(GetParam(), kLayouts)) {
    const CudaKernel kernel = kernel_of(op), reversed = kernel_of(op, reversed_launches());
    const Launch launch = kernel.prepare(), again = reversed.prepare();
    OperandMemory first(op, kernel.workspace, inputs, std::byte{0xff}),
        second(op, kernel.workspace, inputs, std::byte{0x3f}), third(op, reversed.workspace, inputs, std::byte{0x00});
    run(first, launch);
    run(second, launch);
    run(third, again);
    for (std::size_t i = 0; i < op.outputs.size(); ++i) {
      EXPECT_TRUE(std::ranges::equal(first.output_bytes(i), second.output_bytes(i))) << "output " << i;
      EXPECT_TRUE(std::ranges::equal(first.output_bytes(i), third.output_bytes(i))) << "output " << i;
    }
  }
}

TEST_P(Elements, AgreeWithTheCpuDevice) {
  const std::vector<TestTensor> inputs = rounded_inputs(GetParam());
  expect_near(results_of(GetParam().op, inputs), cpu_results_of(GetParam().op, inputs), GetParam().tolerance);
}

TEST_P(Elements, AreOneKernelThatNamesItsVersion) {
  for (const OpDescription& op : variants_of(GetParam(), kLayouts)) {
    const std::vector<CudaKernel> kernels = ElementKernels(immediate_launches()).kernels(op);
    ASSERT_THAT(kernels, SizeIs(1));
    EXPECT_THAT(kernels[0].id, AnyOf("element|spillway 1", "direct|spillway 1"));
  }
}

const auto kName = [](const testing::TestParamInfo<KernelCase>& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Convolution, Elements, testing::ValuesIn(convolution_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Linear, Elements, testing::ValuesIn(linear_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Normalization, Elements, testing::ValuesIn(normalization_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Elementwise, Elements, testing::ValuesIn(elementwise_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Shapes, Elements, testing::ValuesIn(shape_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Losses, Elements, testing::ValuesIn(loss_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Updates, Elements, testing::ValuesIn(update_cases()), kName);

/// An op whose rows are cut into parts, the last one shorter. Its reference is the CPU device.
struct LongRowsCase {
  std::string name;
  OpDescription op;
  /// Relative to the output's largest magnitude.
  double tolerance = 2e-6;
};

void PrintTo(const LongRowsCase& of, std::ostream* out) {
  *out << of.name;
}

std::vector<LongRowsCase> long_rows_cases() {
  const OperandDescription x = activation({2, 3, 89, 103}), y = activation({2, 5, 89, 103}), three = parameter({3}),
                           five = parameter({5}), per_sample = activation({2, 3});
  const Window window{{3, 3}, {1, 1}, {1, 1}};
  // oneDNN adds up thousands of terms of one sign in float here: 2 to 4e-6 off the sum in double, ours below 1e-7.
  constexpr double kOneDnnInFloat = 1e-5;
  return {
      {"InstanceNorm", describe_op(InstanceNorm{}, {x, three, three}, {x, per_sample, per_sample})},
      {"InstanceNormBackward",
       describe_op(InstanceNormBackward{}, {x, x, three, per_sample, per_sample}, {x, three, three})},
      {"BatchNorm", describe_op(BatchNorm{}, {x, three, three}, {x, three, three})},
      {"BatchNormBackward", describe_op(BatchNormBackward{}, {x, x, three, three, three}, {x, three, three})},
      {"DiceLoss", describe_op(DiceLoss{}, {x, x}, {parameter({1}), activation({2, 6})})},
      {"GlobalAveragePool", describe_op(GlobalAveragePool{}, {x}, {per_sample}), kOneDnnInFloat},
      {"ConvolutionBackwardWeights",
       describe_op(ConvolutionBackwardWeights{window}, {x, y}, {parameter({5, 3, 3, 3}), five}), kOneDnnInFloat},
  };
}

class ElementsWithLongRows : public testing::TestWithParam<LongRowsCase> {};

TEST_P(ElementsWithLongRows, AgreeWithTheCpuDeviceInBothLayouts) {
  OpDescription op = GetParam().op;
  ASSERT_GT(row_parts(6, 89 * 103).count, 1);
  // Positive, so that sums grow with their terms and all variances have roots.
  const auto positive = [](std::vector<TestTensor>& in) {
    for (TestTensor& tensor : in)
      for (double& value : tensor.values) value = std::abs(value);
  };
  const std::vector<TestTensor> inputs =
      rounded_inputs({.name = "LongRows", .op = op, .prepare = positive, .reference = nullptr});
  const std::vector<TestTensor> expected = cpu_results_of(op, inputs);
  expect_near(results_of(op, inputs), expected, GetParam().tolerance);
  op.layout = Layout::channels_first;
  expect_near(results_of(op, inputs), expected, GetParam().tolerance);
}
INSTANTIATE_TEST_SUITE_P(Ops, ElementsWithLongRows, testing::ValuesIn(long_rows_cases()),
                         [](const auto& of) { return of.param.name; });

TEST(RowParts, CoverARowWithoutGapsOrEmptyParts) {
  for (const std::int64_t rows : {1, 6, 5000}) {
    for (const std::int64_t terms : {1, 4096, 4097, 100003, 3000000}) {
      const RowParts parts = row_parts(rows, terms);
      EXPECT_LT((parts.count - 1) * parts.length, terms);
      EXPECT_GE(parts.count * parts.length, terms);
      EXPECT_EQ(parts.terms, terms);
      EXPECT_TRUE(rows < 5000 || parts.count == 1);
    }
  }
}

TEST(Rows, AddUpALanesTermsBeforeLanesAreMerged) {
  // 2^53 + 1 rounds to 2^53. Terms 0, 256 and 512 are lane 0's: ((2^53) + 1) - 2^53 = 0; term 1 is lane 1's.
  std::vector<Totals<1>> terms(513, {{0}});
  terms[0].value[0] = 0x1p53, terms[256].value[0] = 1, terms[512].value[0] = -0x1p53, terms[1].value[0] = 0.25;
  float sum = -1;
  run_on_host(MergedSumRow{{terms.data(), 513}, 2.0, &sum}, 0);
  EXPECT_EQ(sum, 0.5F);
}

TEST(ElementKernels, DropExactlyWhatTheCpuDeviceDrops) {
  const OperandDescription x = activation({9, 70, 2, 3}), number = operand(ElementType::int64, false, {1});
  OpDescription op = describe_op(ChannelDropout{0.4, 7}, {x, number, number, number}, {x});
  std::vector<TestTensor> inputs = rounded_inputs({.name = "Dropout", .op = op, .reference = nullptr});
  inputs[1].values = {-0x123456789abcp0}, inputs[2].values = {0x1p33 + 5}, inputs[3].values = {31};
  const std::vector<double> expected = cpu_results_of(op, inputs)[0].values;
  EXPECT_EQ(results_of(op, inputs)[0].values, expected);
  op.layout = Layout::channels_first;
  EXPECT_EQ(results_of(op, inputs)[0].values, expected);
}

OpDescription cross_entropy() {
  const OperandDescription logits = activation({2, 3}), labels = operand(ElementType::int64, true, {2});
  return describe_op(SoftmaxCrossEntropy{}, {logits, labels}, {parameter({1}), logits});
}

TEST(ElementKernels, GiveNaNForALabelThatIsNoClass) {
  for (const double wrong : {3.0, -1.0}) {
    const OpDescription forward = cross_entropy();
    const TestTensor numbers{activation({2, 3}), {1, 2, 3, 0.5, 0.25, 0.25}},
        labels{operand(ElementType::int64, true, {2}), {wrong, 1}};
    EXPECT_THAT(results_of(forward, {numbers, labels})[0].values, Each(testing::IsNan()));
    const OpDescription backward =
        describe_op(SoftmaxCrossEntropyBackward{}, {numbers.description, labels.description}, {numbers.description});
    // The other sample, p = (1/2, 1/4, 1/4), label 1, two samples: (p - y) / 2.
    EXPECT_THAT(results_of(backward, {numbers, labels})[0].values,
                ElementsAre(testing::IsNan(), testing::IsNan(), testing::IsNan(), 0.25, -0.375, 0.125));
  }
}

TEST(ElementKernels, GiveAnImpossibleClassNoProbability) {
  const double infinity = std::numeric_limits<double>::infinity();
  const TestTensor logits{activation({2, 3}), {-infinity, 5, 5, -infinity, -infinity, -1000}},
      labels{operand(ElementType::int64, true, {2}), {1, 2}};
  const std::vector<TestTensor> results = results_of(cross_entropy(), {logits, labels});
  EXPECT_THAT(results[1].values, ElementsAre(0, 0.5, 0.5, 0, 0, 1));
  EXPECT_FLOAT_EQ(static_cast<float>(results[0].values[0]), std::log(2.0F) / 2);
}

TEST(ElementKernels, KeepANaNThatIsPooled) {
  const Window window{{2}, {2}, {0}};
  const OperandDescription y = activation({1, 1, 2}), choice = operand(ElementType::uint8, true, {1, 1, 2});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const TestTensor x{activation({1, 1, 4}), {nan, 1, 2, nan}};
  const std::vector<TestTensor> results = results_of(describe_op(MaxPool{window}, {x.description}, {y, choice}), {x});
  EXPECT_THAT(results[0].values, Each(testing::IsNan()));
  EXPECT_THAT(results[1].values, ElementsAre(0, 1));
}

TEST(ElementKernels, AreNoneForWhatTheyCannotRun) {
  ElementKernels source(immediate_launches());
  const OperandDescription x = activation({1, 2, 4}), weights = parameter({2, 2, 3});
  const Convolution same{Window{{3}, {1}, {1}}};
  OpDescription convolution = describe_op(same, {x, weights}, {x});
  EXPECT_THAT(source.kernels(convolution), SizeIs(1));
  convolution.in_place = {0};  // its outputs are made from neighbours of the inputs they would overwrite
  EXPECT_THAT(source.kernels(convolution), IsEmpty());
  EXPECT_THAT(source.kernels(describe_op(Opaque{"attention"}, {x}, {x})), IsEmpty());
  EXPECT_THAT(source.kernels(describe_op(AllReduce{}, {x}, {x})), IsEmpty());
  const OperandDescription four_dimensions = activation({1, 2, 2, 2, 2, 2});
  EXPECT_THAT(source.kernels(describe_op(Upsample{1}, {four_dimensions}, {four_dimensions})), IsEmpty());
  // 17 x 17 places don't fit into the byte that notes the choice.
  const OperandDescription wide = activation({1, 1, 17, 17}), one = activation({1, 1, 1, 1}),
                           choice = operand(ElementType::uint8, true, {1, 1, 1, 1});
  EXPECT_THAT(source.kernels(describe_op(MaxPool{Window{{17, 17}, {1, 1}, {0, 0}}}, {wide}, {one, choice})), IsEmpty());
}

}  // namespace
}  // namespace spillway
