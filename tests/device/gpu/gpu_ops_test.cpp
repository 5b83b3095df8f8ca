// Every kernel that the GPU has for every op of a built-in network, against naive references in double.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "device/gpu.h"
#include "tests/device/kernel_case.h"
#include "tests/device/operand_memory.h"

namespace spillway {
namespace {

/// The largest error, relative to the output's largest magnitude.
double largest_error(const std::vector<TestTensor>& got, const std::vector<TestTensor>& expected) {
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    double magnitude = 0, error = 0;
    for (std::size_t j = 0; j < expected[i].values.size(); ++j) {
      magnitude = std::max(magnitude, std::abs(expected[i].values[j]));
      error = std::max(error, std::abs(got[i].values[j] - expected[i].values[j]));
    }
    if (magnitude > 0) largest = std::max(largest, error / magnitude);
  }
  return largest;
}

/// One device for all cases: making one takes longer than all that they run.
class Bench {
 public:
  [[nodiscard]] Device& device() { return *gpu_; }

  /// Runs the kernel over a copy of the memory in the arena, which then is copied back.
  void run(OperandMemory& memory, KernelId kernel) {
    const Bytes size{std::ssize(memory.image())};
    gpu_->allocate(size, size);
    std::memcpy(gpu_->host_pool().data(), memory.image().data(), memory.image().size());
    const OperandMemory::Offsets at = memory.offsets();
    gpu_->enqueue_swap_in(stream_, {}, {}, size);
    gpu_->enqueue_op(stream_, kernel, {.inputs = at.inputs, .outputs = at.outputs, .workspace = at.workspace});
    gpu_->enqueue_swap_out(stream_, {}, {}, size);
    gpu_->enqueue_record(stream_, done_, ++runs_);
    gpu_->wait(done_, runs_);
    std::memcpy(memory.image().data(), gpu_->host_pool().data(), memory.image().size());
  }

 private:
  std::unique_ptr<Device> gpu_ = make_gpu(0);
  StreamId stream_ = gpu_->create_stream(StreamRole::compute, 8);
  EventId done_ = gpu_->create_event();
  std::uint64_t runs_ = 0;
};

class GpuOps : public testing::TestWithParam<KernelCase> {
 protected:
  static void SetUpTestSuite() { bench_ = std::make_unique<Bench>(); }
  static void TearDownTestSuite() { bench_.reset(); }

  static std::unique_ptr<Bench> bench_;
};
std::unique_ptr<Bench> GpuOps::bench_;

TEST_P(GpuOps, EveryKernelGivesTheReferencesResultTwiceAndTouchesNothingElse) {
  const std::vector<TestTensor> inputs = rounded_inputs(GetParam());
  const std::vector<TestTensor> expected = GetParam().reference(inputs);
  double largest = 0;
  int kernels = 0;
  for (const OpDescription& op : variants_of(GetParam(), {Layout::channels_last, Layout::channels_first})) {
    const std::vector<KernelOption> options = bench_->device().kernels(op);
    EXPECT_THAT(options, testing::Not(testing::IsEmpty()));
    for (const KernelOption& option : options) {
      SCOPED_TRACE(testing::Message() << option.id << (op.layout == Layout::channels_last ? ", channels last" : "")
                                      << ", first output in place of input " << op.in_place[0]);
      const KernelId kernel = bench_->device().prepare(op, option.id);
      // Workspaces of NaN and of small numbers: what a kernel reads there it must have written.
      constexpr std::size_t kAlignment = 256;  // the device's
      OperandMemory first(op, option.workspace, inputs, std::byte{0xff}, kAlignment),
          second(op, option.workspace, inputs, std::byte{0x3f}, kAlignment);
      bench_->run(first, kernel);
      bench_->run(second, kernel);
      EXPECT_TRUE(first.only_allowed_bytes_written());
      expect_near(first.outputs(), expected, std::max(GetParam().tolerance, 2e-6));
      for (std::size_t i = 0; i < op.outputs.size(); ++i)
        EXPECT_TRUE(std::ranges::equal(first.output_bytes(i), second.output_bytes(i))) << "output " << i;
      largest = std::max(largest, largest_error(first.outputs(), expected));
      ++kernels;
    }
  }
  RecordProperty("largest_relative_error", fmt::format("{:.2g}", largest));
  RecordProperty("kernels", kernels);
}

const auto kName = [](const testing::TestParamInfo<KernelCase>& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Convolution, GpuOps, testing::ValuesIn(convolution_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Linear, GpuOps, testing::ValuesIn(linear_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Normalization, GpuOps, testing::ValuesIn(normalization_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Elementwise, GpuOps, testing::ValuesIn(elementwise_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Shapes, GpuOps, testing::ValuesIn(shape_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Losses, GpuOps, testing::ValuesIn(loss_cases()), kName);
INSTANTIATE_TEST_SUITE_P(Updates, GpuOps, testing::ValuesIn(update_cases()), kName);

}  // namespace
}  // namespace spillway
