#include "tests/device/conformance.h"
#include "tests/device/cuda/fake_gpu.h"

namespace spillway {
namespace {

std::unique_ptr<Device> fresh_fake_gpu() {
  FakeCuda::reset();
  return fake_gpu();
}

INSTANTIATE_TEST_SUITE_P(FakeGpu, DeviceConformance, testing::Values(&fresh_fake_gpu));

}  // namespace
}  // namespace spillway
