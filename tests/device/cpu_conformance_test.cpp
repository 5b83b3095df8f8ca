#include <utility>

#include "device/cpu/device.h"
#include "device/wrappers/delay.h"
#include "device/wrappers/forward.h"
#include "device/wrappers/poison.h"
#include "tests/device/conformance.h"

namespace spillway {
namespace {

/// A wrapper together with the device it wraps.
class Wrapped final : public ForwardingDevice {
 public:
  Wrapped(std::unique_ptr<Device> device, std::unique_ptr<Device> wrapper)
      : ForwardingDevice(*wrapper), device_(std::move(device)), wrapper_(std::move(wrapper)) {}

 private:
  std::unique_ptr<Device> device_, wrapper_;
};

template <class Wrap>
std::unique_ptr<Device> wrapped(Wrap wrap) {
  auto device = make_cpu_device({});
  auto wrapper = wrap(*device);
  return std::make_unique<Wrapped>(std::move(device), std::move(wrapper));
}

std::unique_ptr<Device> plain_cpu() {
  return make_cpu_device({});
}
std::unique_ptr<Device> cpu_behind_a_link() {
  return make_cpu_device(parse_device("cpu:in=0.2GB/s,out=0.1GB/s,both=0.25GB/s,start=20us"));
}
std::unique_ptr<Device> delayed_cpu() {
  return wrapped([](Device& device) { return delayed(device, {.seed = 7, .longest = Seconds{200e-6}}); });
}
std::unique_ptr<Device> poisoned_cpu() {
  return wrapped(poisoned);
}

INSTANTIATE_TEST_SUITE_P(Cpu, DeviceConformance, testing::Values(&plain_cpu));
INSTANTIATE_TEST_SUITE_P(CpuBehindALink, DeviceConformance, testing::Values(&cpu_behind_a_link));
INSTANTIATE_TEST_SUITE_P(DelayedCpu, DeviceConformance, testing::Values(&delayed_cpu));
INSTANTIATE_TEST_SUITE_P(PoisonedCpu, DeviceConformance, testing::Values(&poisoned_cpu));

}  // namespace
}  // namespace spillway
