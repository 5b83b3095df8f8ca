#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "core/philox.h"
#include "device/cpu/kernel.h"
#include "tests/device/kernel_case.h"

namespace spillway {
namespace {

using testing::IsEmpty;
using testing::StartsWith;

TEST(Philox, GivesTheKnownAnswers) {
  // Random123's kat_vectors, philox4x32 with 10 rounds.
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32_10({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(CpuKernels, OfAnOpaqueOpAreNone) {
  EXPECT_THAT(cpu_kernels(describe_op(Opaque{"attention"}, {activation({2, 8})}, {activation({2, 8})}), 1), IsEmpty());
}

TEST(CpuKernels, OfChannelsFirstActivationsAreNone) {
  OpDescription op = describe_op(LeakyRelu{}, {activation({2, 8, 4})}, {activation({2, 8, 4})});
  EXPECT_FALSE(cpu_kernels(op, 1).empty());
  op.layout = Layout::channels_first;
  EXPECT_THAT(cpu_kernels(op, 1), IsEmpty());
}

TEST(CpuKernels, NameLibraryInstructionSetAndThreads) {
  const OpDescription add = describe_op(Add{}, {activation({2, 8}), activation({2, 8})}, {activation({2, 8})});
  const std::string id = cpu_kernels(add, 3).front().id;
  EXPECT_EQ(id.substr(id.find('|')), "|" + cpu_library() + "|" + cpu_instruction_set() + "|threads=3");
  EXPECT_THAT(cpu_library(), StartsWith("oneDNN "));
}

TEST(CpuKernels, OfOurOwnAreTheSameForEveryThreadCount) {
  const OpDescription advance =
      describe_op(AdvanceStep{}, {operand(ElementType::int64, false, {1})}, {operand(ElementType::int64, false, {1})});
  EXPECT_EQ(cpu_kernels(advance, 1).front().id, "loop|spillway 1|threads=1");
  EXPECT_EQ(cpu_kernels(advance, 4).front().id, "loop|spillway 1|threads=1");
}

TEST(CpuKernels, CountPackedWeightsInTheirWorkspace) {
  // 64 x 64 x 3 x 3 weights of 4 bytes: what a kernel with its own weight layout needs at least.
  const Window window{{3, 3}, {1, 1}, {1, 1}};
  const OpDescription op = describe_op(Convolution{window}, {activation({1, 64, 8, 8}), parameter({64, 64, 3, 3})},
                                       {activation({1, 64, 8, 8})});
  EXPECT_GE(cpu_kernels(op, 1).front().workspace, 64 * 64 * 9 * 4_B);
}

TEST(CpuKernels, RefuseALabelThatIsNoClass) {
  const OpDescription op =
      describe_op(SoftmaxCrossEntropyBackward{}, {activation({2, 3}), operand(ElementType::int64, true, {2})},
                  {activation({2, 3})});
  const auto kernel = make_cpu_kernel(op, cpu_kernels(op, 1).front().id, 1);
  alignas(64) float probabilities[6] = {};
  alignas(64) std::int64_t labels[2] = {2, 3};
  std::byte* inputs[] = {reinterpret_cast<std::byte*>(probabilities), reinterpret_cast<std::byte*>(labels)};
  std::byte* outputs[] = {reinterpret_cast<std::byte*>(probabilities)};
  try {
    kernel->run(inputs, outputs, nullptr);
    FAIL() << "label 3 of 3 classes was taken";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "label of sample 1 of the batch: found 3, expected 0 to 2");
    EXPECT_EQ(error.code(), ExitCode::input);
  }
}

TEST(CpuKernels, RunOnAThreadThatDidNotMakeThem) {
  const OpDescription op = describe_op(Add{}, {activation({1, 4}), activation({1, 4})}, {activation({1, 4})});
  const auto kernel = make_cpu_kernel(op, cpu_kernels(op, 1).front().id, 1);
  alignas(64) float a[4] = {1, 2, 3, 4};
  alignas(64) float b[4] = {10, 20, 30, 40};
  alignas(64) float sum[4] = {};
  std::byte* inputs[] = {reinterpret_cast<std::byte*>(a), reinterpret_cast<std::byte*>(b)};
  std::byte* outputs[] = {reinterpret_cast<std::byte*>(sum)};
  std::thread([&] { kernel->run(inputs, outputs, nullptr); }).join();
  EXPECT_THAT(sum, testing::ElementsAre(11, 22, 33, 44));
}

TEST(ChannelDropout, AppliedToItsOwnGradientKeepsTheSameChannels) {
  const OpDescription op =
      describe_op(ChannelDropout{0.5, 1},
                  {activation({1, 32}), operand(ElementType::int64, false, {1}),
                   operand(ElementType::int64, false, {1}), operand(ElementType::int64, false, {1})},
                  {activation({1, 32})});
  const KernelOption option = cpu_kernels(op, 1).front();
  const auto kernel = make_cpu_kernel(op, option.id, 1);
  alignas(64) std::int64_t seed[1] = {5};
  alignas(64) std::int64_t step[1] = {1};
  alignas(64) std::int64_t first_sample[1] = {0};
  std::vector<std::byte> workspace(static_cast<std::size_t>(option.workspace.value));
  const auto dropped = [&](float value) {
    std::vector<float> x(32, value), y(32);
    std::byte* inputs[] = {reinterpret_cast<std::byte*>(x.data()), reinterpret_cast<std::byte*>(seed),
                           reinterpret_cast<std::byte*>(step), reinterpret_cast<std::byte*>(first_sample)};
    std::byte* outputs[] = {reinterpret_cast<std::byte*>(y.data())};
    kernel->run(inputs, outputs, workspace.data());
    std::vector<bool> zero;
    for (const float element : y) zero.push_back(element == 0);
    return zero;
  };
  const std::vector<bool> forward = dropped(1), backward = dropped(-0.25F);
  EXPECT_EQ(forward, backward);
  first_sample[0] = 1;
  EXPECT_NE(dropped(1), forward);
  first_sample[0] = 0;
  step[0] = 2;
  EXPECT_NE(dropped(1), forward);  // 32 coins fall alike once in four billion steps
}

}  // namespace
}  // namespace spillway
