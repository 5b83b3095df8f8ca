// The fake's rules where there are several GPUs.
#include <cstring>

#include "tests/device/cuda/fake_cuda_fixture.h"

namespace spillway {
namespace {

class SeveralGpus : public FakeCudaTest {
 protected:
  SeveralGpus() { FakeCuda::set_device({.count = 2, .memory = std::size_t{1} << 20}); }
};

TEST_F(SeveralGpus, AreCountedAndNumbered) {
  int found = 0;
  EXPECT_EQ(cudaGetDeviceCount(&found), cudaSuccess);
  EXPECT_EQ(found, 2);
  EXPECT_EQ(cudaSetDevice(1), cudaSuccess);
  EXPECT_EQ(cudaGetDevice(&found), cudaSuccess);
  EXPECT_EQ(found, 1);
  EXPECT_EQ(cudaSetDevice(2), cudaErrorInvalidDevice);
  cudaDeviceProp first{}, second{};
  EXPECT_EQ(cudaGetDeviceProperties(&first, 0), cudaSuccess);
  EXPECT_EQ(cudaGetDeviceProperties(&second, 1), cudaSuccess);
  EXPECT_NE(std::memcmp(&first.uuid, &second.uuid, sizeof first.uuid), 0);
}

TEST_F(SeveralGpus, HaveMemoryOfTheirOwn) {
  const auto what_is_free = [] {
    std::size_t free = 0, total = 0;
    EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    return free;
  };
  char* const memory = new_memory(std::size_t{1} << 20);
  EXPECT_EQ(what_is_free(), 0U);
  EXPECT_EQ(cudaSetDevice(1), cudaSuccess);
  EXPECT_EQ(what_is_free(), std::size_t{1} << 20);
  EXPECT_EQ(cudaFree(memory), cudaSuccess);  // from wherever
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(what_is_free(), std::size_t{1} << 20);
}

TEST_F(SeveralGpus, HaveStreamsThatEventsAndLaunchesOfOthersDontReach) {
  const cudaStream_t first = new_stream();
  EXPECT_EQ(cudaSetDevice(1), cudaSuccess);
  const cudaEvent_t second = new_event();
  EXPECT_EQ(cudaEventRecord(second, first), cudaErrorInvalidResourceHandle);
  static_cast<void>(cudaGetLastError());
  fake_cuda_launch(
      first, [] {}, "work");
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidResourceHandle);
}

TEST_F(SeveralGpus, AreSynchronisedOneByOne) {
  const cudaStream_t capturing = new_capture();
  EXPECT_EQ(cudaSetDevice(1), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);  // GPU 0's capture is none of its business
  EXPECT_EQ(status(capturing), cudaStreamCaptureStatusActive);
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cudaDeviceSynchronize(), cudaErrorStreamCaptureUnsupported);
  expect_invalidated(capturing);
}

}  // namespace
}  // namespace spillway
