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
#include "tests/device/operand_memory.h"

namespace spillway {
namespace {

#ifdef SPILLWAY_THREAD_SANITIZER
// OpenMP's barriers are invisible to ThreadSanitizer: with two threads it reports races of oneDNN with itself.
constexpr std::array kThreadCounts{1};
#else
constexpr std::array kThreadCounts{1, 2};
#endif

class Kernels : public testing::TestWithParam<KernelCase> {
 protected:
  static std::vector<OpDescription> variants() { return variants_of(GetParam(), {Layout::channels_last}); }
  static void run(OperandMemory& memory, CpuKernel& kernel) {
    memory.with_addresses([&](auto in, auto out, std::byte* workspace) { kernel.run(in, out, workspace); });
  }

  /// All options on one thread; on more only the best, since waiting for a second thread takes long on a busy machine.
  static std::vector<KernelOption> options_of(const OpDescription& op, int threads) {
    std::vector<KernelOption> options = cpu_kernels(op, threads);
    if (threads > 1 && options.size() > 1) options.resize(1);
    return options;
  }
};

TEST_P(Kernels, AllGiveTheReferencesResultAndTouchNothingElse) {
  const std::vector<TestTensor> inputs = rounded_inputs(GetParam());
  const std::vector<TestTensor> expected = GetParam().reference(inputs);
  for (const int threads : kThreadCounts) {
    for (const OpDescription& op : variants()) {
      const std::vector<KernelOption> options = options_of(op, threads);
      ASSERT_FALSE(options.empty());
      for (const KernelOption& option : options) {
        SCOPED_TRACE(testing::Message() << option.id << ", first output in place of input " << op.in_place[0]);
        // A workspace of NaN: what a kernel reads there it must have written.
        OperandMemory memory(op, option.workspace, inputs, std::byte{0xff});
        run(memory, *make_cpu_kernel(op, option.id, threads));
        EXPECT_TRUE(memory.only_allowed_bytes_written());
        expect_near(memory.outputs(), expected, GetParam().tolerance);
      }
    }
  }
}

TEST_P(Kernels, GiveTheSameBitsInEveryRunAtOtherAddressesAndOverOtherGarbage) {
  const std::vector<TestTensor> inputs = rounded_inputs(GetParam());
  for (const int threads : kThreadCounts) {
    for (const OpDescription& op : variants()) {
      for (const KernelOption& option : options_of(op, threads)) {
        SCOPED_TRACE(option.id);
        const auto kernel = make_cpu_kernel(op, option.id, threads), again = make_cpu_kernel(op, option.id, threads);
        OperandMemory first(op, option.workspace, inputs, std::byte{0xff}),
            second(op, option.workspace, inputs, std::byte{0x00}), third(op, option.workspace, inputs, std::byte{0x3f});
        run(first, *kernel);
        run(second, *kernel);
        run(third, *again);
        for (std::size_t i = 0; i < op.outputs.size(); ++i) {
          EXPECT_TRUE(std::ranges::equal(first.output_bytes(i), second.output_bytes(i))) << "output " << i;
          EXPECT_TRUE(std::ranges::equal(first.output_bytes(i), third.output_bytes(i))) << "output " << i;
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
