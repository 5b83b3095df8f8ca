// What only the CUDA device does; what every device does is in conformance_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/error.h"
#include "tests/device/cuda/fake_gpu.h"
#include "tests/device/device_fixture.h"

namespace spillway {
namespace {

using testing::HasSubstr;

class CudaDeviceTest : public testing::Test {
 protected:
  CudaDeviceTest() { FakeCuda::reset(); }
};

std::string complaint(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine);
    return error.what();
  }
  return "none";
}

TEST_F(CudaDeviceTest, SaysWhichGpuItIs) {
  const std::unique_ptr<Device> gpu = fake_gpu();
  const DeviceProperties& properties = gpu->properties();
  EXPECT_EQ(properties.name, "Fake GPU");
  EXPECT_EQ(properties.device, "cuda:0");
  EXPECT_EQ(properties.instruction_set, "sm_80, 108 SMs");
  EXPECT_EQ(properties.alignment, 256_B);
}

TEST_F(CudaDeviceTest, WithoutADriverThereIsOneLine) {
  FakeCuda::no_driver(true);
  EXPECT_THAT(complaint([] { static_cast<void>(fake_gpu()); }),
              HasSubstr("--device cuda:0: no GPU can be used: cudaErrorInsufficientDriver"));
}

TEST_F(CudaDeviceTest, TheArenaIsExactlyWhatWasAskedFor) {
  const std::unique_ptr<Device> gpu = fake_gpu();
  const Bytes before = gpu->properties().memory;
  EXPECT_THAT(complaint([&] { gpu->allocate(before + 1_B, 1_MiB); }), HasSubstr("are free (on the GPU)"));
  gpu->allocate(before, 1_MiB);  // all of it: nothing else takes memory
  EXPECT_EQ(FakeCuda::calls("cudaMalloc"), 1U);
}

/// A step of everything that the device can do, enqueued and as a graph; returns what has become of 40.
std::int64_t run_all() {
  const std::unique_ptr<Device> gpu = fake_gpu();
  Rig rig(*gpu);
  const OpDescription op = advance_step();
  const KernelId kernel = gpu->prepare(op, gpu->kernels(op).front().id);
  const EventId arrived = gpu->create_event(), advanced = gpu->create_event();
  std::int64_t value = 40;
  std::memcpy(gpu->host_pool().data(), &value, sizeof value);
  int calls = 0;
  const auto step = [&] {
    const std::vector<Bytes> addresses{0_B};
    gpu->enqueue_swap_in(rig.swap_in, 0_B, 0_B, 8_B);
    gpu->enqueue_record(rig.swap_in, arrived, 1);
    gpu->enqueue_wait(rig.compute, arrived, 1);
    gpu->enqueue_op(rig.compute, kernel, {.inputs = addresses, .outputs = addresses, .workspace = {}});
    gpu->enqueue_record(rig.compute, advanced, 1);
    gpu->enqueue_wait(rig.swap_out, advanced, 1);
    gpu->enqueue_swap_out(rig.swap_out, 0_B, 0_B, 8_B);
    gpu->enqueue_host_function(
        rig.swap_out, [](void* count) { ++*static_cast<int*>(count); }, &calls);
  };
  step();
  rig.finish(rig.swap_out);
  EXPECT_GE(gpu->elapsed(arrived, advanced), Seconds{0});
  const auto graph = gpu->capture(step);
  gpu->replay(*graph);
  gpu->enqueue_cache_flush(rig.compute);
  rig.finish(rig.compute);
  EXPECT_EQ(calls, 2);
  std::memcpy(&value, gpu->host_pool().data(), sizeof value);
  return value;
}

TEST_F(CudaDeviceTest, AnyCallThatFailsGivesOneLineAndLeavesNothingBehind) {
  EXPECT_EQ(run_all(), 42);
  EXPECT_THAT(FakeCuda::leaks(), testing::IsEmpty());
  const std::uint64_t calls = FakeCuda::calls();
  ASSERT_GT(calls, 30U);
  int complaints = 0;
  for (std::uint64_t nth = 1; nth <= calls; ++nth) {
    FakeCuda::reset();
    FakeCuda::fail_nth_call(nth, cudaErrorUnknown);
    const std::string line = complaint([] { static_cast<void>(run_all()); });
    const std::string call = FakeCuda::failed_call();
    EXPECT_THAT(FakeCuda::leaks(), testing::IsEmpty()) << "call " << nth << ", " << call;
    if (line == "none") {  // only what gives back may fail unheard
      EXPECT_THAT(call, testing::AnyOf(HasSubstr("Destroy"), HasSubstr("Free"), HasSubstr("Unregister"),
                                       HasSubstr("DeviceSynchronize")))
          << "call " << nth;
      continue;
    }
    ++complaints;
    EXPECT_THAT(line, HasSubstr("cudaErrorUnknown")) << "call " << nth << ", " << call;
    EXPECT_EQ(line.find('\n'), std::string::npos);
  }
  EXPECT_GT(complaints, 20);
}

}  // namespace
}  // namespace spillway
