#include "device/cuda/nvml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/device/cuda/fake_nvml.h"
#include "tests/device/cuda/loaded_fake.h"

namespace spillway {
namespace {

using testing::HasSubstr;

class NvmlTest : public testing::Test {
 protected:
  ~NvmlTest() override {
    EXPECT_EQ(fake_.users, 0) << "begun and not shut down";
    fake_ = {};
  }
  [[nodiscard]] std::unique_ptr<Nvml> open() { return Nvml::open(SPILLWAY_FAKE_NVML, fake_.pci_bus_id, why_); }

  FakeNvml& fake_ = loaded_fake<FakeNvml>(SPILLWAY_FAKE_NVML, "fake_nvml");
  std::string why_;
};

TEST_F(NvmlTest, ReadsClocksPowerLimitAndTemperature) {
  const auto nvml = open();
  ASSERT_NE(nvml, nullptr) << why_;
  EXPECT_EQ(nvml->driver_version(), "580.65.06");
  EXPECT_EQ(nvml->read(), (ClockReading{.sm_megahertz = 1980,
                                        .memory_megahertz = 2619,
                                        .power_limit_watts = 700,
                                        .temperature_celsius = 41,
                                        .reasons = {},
                                        .throttled = false}));
}

struct ReasonCase {
  const char* name;
  unsigned long long bits;
  std::vector<std::string> reasons;
  bool throttled;
};
class NvmlReasons : public NvmlTest, public testing::WithParamInterface<ReasonCase> {};

TEST_P(NvmlReasons, AreToldAndThrottleUnlessSomeoneSetThemOrTheGpuIdles) {
  fake_.reasons = GetParam().bits;
  const auto reading = open()->read();
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->reasons, GetParam().reasons);
  EXPECT_EQ(reading->throttled, GetParam().throttled);
}

INSTANTIATE_TEST_SUITE_P(
    Bits, NvmlReasons,
    testing::Values(ReasonCase{"Idle", 0x1, {"idling"}, false},
                    ReasonCase{
                        "Settings", 0x102, {"the application clocks' setting", "the display clocks' setting"}, false},
                    ReasonCase{"PowerCap", 0x5, {"idling", "the power cap"}, true},
                    ReasonCase{"Slowdowns",
                               0xe8,
                               {"a hardware slowdown", "a thermal slowdown by the driver",
                                "a thermal slowdown by the hardware", "a power brake"},
                               true},
                    ReasonCase{"SyncBoost", 0x10, {"sync boost with another GPU"}, true},
                    ReasonCase{"OneThatIsNewer", 0x400, {"NVML's reason 0x400"}, true}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(NvmlTest, WhatTheGpuDoesNotTellIsEmpty) {
  constexpr int kNotSupported = 3;
  const auto nvml = open();
  fake_.sensors_result = kNotSupported;
  EXPECT_EQ(nvml->read(), std::nullopt);
}

TEST_F(NvmlTest, WithoutTheLibraryThereIsNone) {
  EXPECT_EQ(Nvml::open("libspillway-has-no-such.so.1", fake_.pci_bus_id, why_), nullptr);
  EXPECT_THAT(why_, HasSubstr("libspillway-has-no-such.so.1: cannot open shared object file"));
}

TEST_F(NvmlTest, ALibraryThatIsNotNvmlIsRefused) {
  EXPECT_EQ(Nvml::open("libm.so.6", fake_.pci_bus_id, why_), nullptr);
  EXPECT_EQ(why_, "libm.so.6 lacks functions that NVML has");
}

TEST_F(NvmlTest, WithoutADriverThereIsNone) {
  fake_.init_result = 9;  // NVML_ERROR_DRIVER_NOT_LOADED
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(why_, "nvmlInit_v2 failed with 9");
}

TEST_F(NvmlTest, AGpuThatItDoesNotKnowIsRefused) {
  EXPECT_EQ(Nvml::open(SPILLWAY_FAKE_NVML, "00000000:99:00.0", why_), nullptr);
  EXPECT_EQ(why_, "nvmlDeviceGetHandleByPciBusId_v2 failed with 6 for 00000000:99:00.0");
}

}  // namespace
}  // namespace spillway
