#include "device/gpu.h"
#include "tests/device/conformance.h"

namespace spillway {
namespace {

std::unique_ptr<Device> first_gpu() {
  return make_gpu(0);
}

INSTANTIATE_TEST_SUITE_P(Gpu, DeviceConformance, testing::Values(&first_gpu));

}  // namespace
}  // namespace spillway
