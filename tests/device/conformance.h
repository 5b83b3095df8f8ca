#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "device/device.h"

namespace spillway {

/// What every device must do (conformance_test.cpp). A device joins by an INSTANTIATE_TEST_SUITE_P with a function that
/// makes it.
class DeviceConformance : public testing::TestWithParam<std::unique_ptr<Device> (*)()> {
 protected:
  const std::unique_ptr<Device> device_ = GetParam()();
};

}  // namespace spillway
