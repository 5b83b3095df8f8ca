// The fake's device, memory, errors and failures. Streams, captures and graphs have files of their own beside this one.
#include "tests/device/cuda/fake_cuda.h"

#include <cmath>
#include <stdexcept>
#include <thread>
#include <vector>

#include "tests/device/cuda/fake_cuda_fixture.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_F(FakeCudaTest, IsOneDeviceWithTheSetProperties) {
  FakeCuda::set_device({.name = "small", .memory = 1 << 20, .multiprocessors = 7, .major = 9, .minor = 0, .l2 = 4096});
  int count = 0, device = -1, capability = 0;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaSuccess);
  EXPECT_EQ(count, 1);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cudaSetDevice(1), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetDevice(&device), cudaSuccess);
  EXPECT_EQ(device, 0);
  cudaDeviceProp properties{};
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 0), cudaSuccess);
  EXPECT_STREQ(properties.name, "small");
  EXPECT_EQ(properties.totalGlobalMem, 1U << 20);
  EXPECT_EQ(properties.multiProcessorCount, 7);
  EXPECT_EQ(properties.l2CacheSize, 4096);
  EXPECT_EQ(cudaGetDeviceProperties(&properties, 1), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaDeviceGetAttribute(&capability, cudaDevAttrComputeCapabilityMajor, 0), cudaSuccess);
  EXPECT_EQ(capability, 9);
  EXPECT_EQ(cudaDeviceGetAttribute(&capability, static_cast<cudaDeviceAttr>(255), 0), cudaErrorInvalidValue);
}

TEST_F(FakeCudaTest, WithoutADriverCallsWriteNothing) {
  FakeCuda::no_driver(true);
  int count = 42, version = 42;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorInsufficientDriver);
  EXPECT_EQ(count, 42);
  void* memory = &count;
  EXPECT_EQ(cudaMalloc(&memory, 4), cudaErrorInsufficientDriver);
  EXPECT_EQ(memory, &count);
  EXPECT_EQ(cudaDriverGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, 0);
  EXPECT_EQ(cudaRuntimeGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version, CUDART_VERSION);
}

TEST_F(FakeCudaTest, DeviceMemoryIsAlignedAndFullOfNotANumber) {
  for (const std::size_t count : {1U, 63U, 64U, 1024U, 5000U}) {
    const auto* const memory = new_memory<float>(count);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory) % 256, 0U);
    for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(std::isnan(memory[i]));
  }
}

TEST_F(FakeCudaTest, DeviceMemoryEndsAtItsEnd) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        auto* const memory = new_memory<volatile char>(256);
        memory[256] = 1;
      },
      "");
}

TEST_F(FakeCudaTest, MemoryIsLimitedToTheDevices) {
  FakeCuda::set_device({.memory = 1024});
  std::size_t free = 0, total = 0;
  auto* const first = new_memory(500);  // takes 512
  EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  EXPECT_EQ(free, 512U);
  EXPECT_EQ(total, 1024U);
  void* second = nullptr;
  EXPECT_EQ(cudaMalloc(&second, 513), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaMalloc(&second, ~std::size_t{0}), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaFree(first), cudaSuccess);
  EXPECT_EQ(cudaMalloc(&second, 1024), cudaSuccess);
}

TEST_F(FakeCudaTest, FreesWhatIsAllocatedOnce) {
  auto* const memory = new_memory(1000);
  EXPECT_EQ(cudaFree(memory + 256), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(nullptr), cudaSuccess);
  void* nothing = &nothing;
  EXPECT_EQ(cudaMalloc(&nothing, 0), cudaSuccess);
  EXPECT_EQ(nothing, nullptr);
}

TEST_F(FakeCudaTest, HostMemoryIsRegisteredOnce) {
  std::vector<char> host(1000);
  EXPECT_EQ(cudaHostRegister(nullptr, 10, 0), cudaErrorInvalidValue);
  EXPECT_EQ(cudaHostRegister(host.data(), 0, 0), cudaErrorInvalidValue);
  EXPECT_EQ(cudaHostRegister(host.data(), 10, ~0U), cudaErrorInvalidValue);
  EXPECT_EQ(cudaHostRegister(host.data() + 100, 200, cudaHostRegisterDefault), cudaSuccess);
  EXPECT_EQ(cudaHostRegister(host.data() + 100, 200, 0), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_EQ(cudaHostRegister(host.data() + 299, 200, 0), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_EQ(cudaHostRegister(host.data(), 101, 0), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_EQ(cudaHostRegister(host.data(), 1000, 0), cudaErrorHostMemoryAlreadyRegistered);
  EXPECT_EQ(cudaHostRegister(host.data() + 300, 200, 0), cudaSuccess);
  EXPECT_EQ(cudaHostRegister(host.data(), 100, 0), cudaSuccess);
  EXPECT_EQ(cudaHostUnregister(host.data() + 101), cudaErrorHostMemoryNotRegistered);
  EXPECT_EQ(cudaHostUnregister(host.data() + 100), cudaSuccess);
  EXPECT_EQ(cudaHostUnregister(host.data() + 100), cudaErrorHostMemoryNotRegistered);
  EXPECT_EQ(cudaHostRegister(new_memory(64), 64, 0), cudaErrorInvalidValue);
}

TEST_F(FakeCudaTest, CopiesAndSetsInStreamOrder) {
  const cudaStream_t stream = new_stream();
  std::vector<char> host(300);
  auto* const memory = new_memory(200);
  EXPECT_EQ(cudaHostRegister(host.data(), 300, 0), cudaSuccess);
  EXPECT_EQ(cudaMemsetAsync(memory, 7, 200, stream), cudaSuccess);
  EXPECT_EQ(cudaMemsetAsync(memory + 50, 9, 10, stream), cudaSuccess);
  EXPECT_EQ(cudaMemcpyAsync(host.data(), memory, 200, cudaMemcpyDeviceToHost, stream), cudaSuccess);
  EXPECT_EQ(cudaMemcpyAsync(host.data() + 200, host.data(), 100, cudaMemcpyDefault, stream), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(host[i], i % 200 / 10 == 5 ? 9 : 7) << i;
}

TEST_F(FakeCudaTest, RefusesCopiesOfWhatIsNotThere) {
  const cudaStream_t stream = new_stream();
  std::vector<char> host(300), pageable(300);
  auto* const memory = new_memory(200);
  EXPECT_EQ(cudaHostRegister(host.data(), 300, 0), cudaSuccess);
  const auto copy = [&](void* to, const void* from, std::size_t size, int kind) {
    return cudaMemcpyAsync(to, from, size, static_cast<cudaMemcpyKind>(kind), stream);
  };
  EXPECT_EQ(copy(memory, host.data(), 201, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(memory + 100, host.data(), 101, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(memory - 1, host.data(), 2, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(host.data() + 299, memory, 2, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(copy(memory, pageable.data(), 10, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(pageable.data(), memory, 10, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(copy(memory, host.data(), 10, cudaMemcpyDeviceToHost), cudaErrorInvalidValue);
  EXPECT_EQ(copy(memory, memory + 5, 10, cudaMemcpyDeviceToDevice), cudaErrorInvalidValue);
  EXPECT_EQ(copy(memory, host.data(), 10, 5), cudaErrorInvalidMemcpyDirection);
  EXPECT_EQ(cudaMemsetAsync(host.data(), 0, 10, stream), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemsetAsync(memory + 199, 0, 2, stream), cudaErrorInvalidValue);
  EXPECT_EQ(cudaMemsetAsync(memory, 0, 2, nullptr), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(copy(memory, host.data(), 200, cudaMemcpyHostToDevice), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(cudaHostUnregister(host.data()), cudaSuccess);
  EXPECT_EQ(copy(memory, host.data(), 10, cudaMemcpyHostToDevice), cudaErrorInvalidValue);
}

TEST_F(FakeCudaTest, KeepsTheLastErrorOfEachThread) {
  EXPECT_EQ(cudaSetDevice(5), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  std::thread([] { EXPECT_EQ(cudaGetLastError(), cudaSuccess); }).join();
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(FakeCudaTest, NamesErrors) {
  EXPECT_STREQ(cudaGetErrorName(cudaErrorStreamCaptureUnjoined), "cudaErrorStreamCaptureUnjoined");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorMemoryAllocation), "out of device memory");
  EXPECT_STREQ(cudaGetErrorName(static_cast<cudaError_t>(12345)), "unrecognized error code");
}

TEST_F(FakeCudaTest, ListsWhatIsStillAlive) {
  EXPECT_THAT(FakeCuda::leaks(), IsEmpty());
  const cudaStream_t stream = new_stream();
  static_cast<void>(new_event());
  auto* const memory = new_memory(10);
  EXPECT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), cudaSuccess);
  const cudaGraph_t graph = end(stream);
  const cudaGraphExec_t exec = executable(graph);
  char host[4];
  EXPECT_EQ(cudaHostRegister(host, 4, 0), cudaSuccess);
  EXPECT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), cudaSuccess);
  EXPECT_THAT(
      FakeCuda::leaks(),
      UnorderedElementsAre("stream made by call 1", "event made by call 2", "device memory of 10 bytes made by call 3",
                           "graph made by call 5", "executable graph made by call 6",
                           "registration of 4 bytes made by call 7", "capture that wasn't ended"));
  EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cudaGraphExecDestroy(exec), cudaSuccess);
  EXPECT_EQ(cudaHostUnregister(host), cudaSuccess);
  EXPECT_THAT(FakeCuda::leaks(), ElementsAre("event made by call 2"));
}

TEST_F(FakeCudaTest, FailsTheChosenCallOnceWithoutEffect) {
  FakeCuda::fail("cudaMalloc", 2, cudaErrorUnknown);
  auto* const first = new_memory(10);
  void* second = first;
  EXPECT_EQ(FakeCuda::failed_call(), "");
  EXPECT_EQ(cudaMalloc(&second, 10), cudaErrorUnknown);
  EXPECT_EQ(second, first);
  EXPECT_EQ(cudaGetLastError(), cudaErrorUnknown);
  EXPECT_EQ(FakeCuda::failed_call(), "cudaMalloc");
  EXPECT_EQ(cudaMalloc(&second, 10), cudaSuccess);
  EXPECT_EQ(FakeCuda::calls("cudaMalloc"), 3U);
  EXPECT_EQ(FakeCuda::calls("cudaFree"), 0U);
  EXPECT_EQ(FakeCuda::calls(), 3U);
}

TEST_F(FakeCudaTest, FailsAnyCallByItsNumber) {
  const auto use = [] {
    std::vector<cudaError_t> results;
    void* memory = nullptr;
    results.push_back(cudaMalloc(&memory, 10));
    results.push_back(cudaFree(memory));
    results.push_back(cudaSetDevice(0));
    return results;
  };
  for (std::size_t nth = 0; nth < 3; ++nth) {
    FakeCuda::reset();
    FakeCuda::fail_nth_call(nth + 1, cudaErrorUnknown);
    std::vector<cudaError_t> expected(3, cudaSuccess);
    expected[nth] = cudaErrorUnknown;
    EXPECT_EQ(use(), expected);
    EXPECT_THAT(FakeCuda::leaks(), IsEmpty()) << "what gives back does so though it fails";
  }
}

TEST_F(FakeCudaTest, ALaunchThatFailsSaysSoInTheLastError) {
  const cudaStream_t stream = new_stream();
  bool ran = false;
  FakeCuda::fail("fake_cuda_launch", 1, cudaErrorLaunchOutOfResources);
  fake_cuda_launch(
      stream, [&] { ran = true; }, "work");
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchOutOfResources);
  fake_cuda_launch(
      nullptr, [&] { ran = true; }, "work");
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_FALSE(ran);
}

TEST_F(FakeCudaTest, WorkThatThrowsFailsEveryLaterCall) {
  const cudaStream_t stream = new_stream(), other = new_stream();
  const cudaEvent_t event = new_event();
  auto* const memory = new_memory(10);
  bool ran = false;
  fake_cuda_launch(
      stream, [] { throw std::runtime_error("a kernel's failure"); }, "failing");
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaErrorLaunchFailure);
  fake_cuda_launch(
      other, [&] { ran = true; }, "later");
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);  // for ever
  EXPECT_EQ(cudaEventRecord(event, stream), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorLaunchFailure);
  EXPECT_FALSE(ran);
  EXPECT_EQ(cudaFree(memory), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaEventDestroy(event), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaStreamDestroy(stream), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaStreamDestroy(other), cudaErrorLaunchFailure);
  EXPECT_THAT(FakeCuda::leaks(), IsEmpty());
  FakeCuda::reset();
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
}

TEST_F(FakeCudaTest, WorkMakesNoCalls) {
  const cudaStream_t stream = new_stream();
  cudaError_t result = cudaSuccess;
  const auto call = [](void* into) { *static_cast<cudaError_t*>(into) = cudaSetDevice(0); };
  EXPECT_EQ(cudaLaunchHostFunc(stream, call, &result), cudaSuccess);
  EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
  EXPECT_EQ(result, cudaErrorNotPermitted);
  EXPECT_EQ(cudaLaunchHostFunc(stream, nullptr, nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace spillway
