// What the CUDA device tells by NVML and CUPTI, which are fakes here.
#include "device/cuda/gpu_tools.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device/cuda/gpu_libraries.h"
#include "tests/device/cuda/fake_cupti.h"
#include "tests/device/cuda/fake_gpu.h"
#include "tests/device/cuda/fake_nvml.h"
#include "tests/device/cuda/loaded_fake.h"

namespace spillway {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class GpuToolsTest : public testing::Test {
 protected:
  GpuToolsTest() { FakeCuda::reset(); }
  ~GpuToolsTest() override {
    nvml_ = {};
    cupti_ = {};
  }

  const ToolLibraries both_{.nvml = SPILLWAY_FAKE_NVML, .cupti = SPILLWAY_FAKE_CUPTI};
  FakeNvml& nvml_ = loaded_fake<FakeNvml>(SPILLWAY_FAKE_NVML, "fake_nvml");
  FakeCupti& cupti_ = loaded_fake<FakeCupti>(SPILLWAY_FAKE_CUPTI, "fake_cupti");
};

TEST_F(GpuToolsTest, TheDeviceTellsItsDriverAndClocks) {
  const auto gpu = fake_gpu(both_);
  EXPECT_THAT(gpu->properties().driver, testing::StartsWith("580.65.06 (CUDA 1"));
  nvml_.sm_megahertz = 1200;
  nvml_.reasons = 0x4;
  const auto clocks = gpu->read_clocks();
  ASSERT_TRUE(clocks);
  EXPECT_EQ(to_text(*clocks),
            "SM 1200 MHz, memory 2619 MHz, power limit 700 W, 41 degrees C, held down by the power cap");
}

TEST_F(GpuToolsTest, TheDeviceTellsTheKernelsOfARun) {
  cupti_.records = {{.name = "kernel", .start = 1000, .end = 3000}};
  const auto gpu = fake_gpu(both_);
  EXPECT_EQ(cupti_.observations, 0) << "watched without being asked";
  bool called = false;
  const auto observed = gpu->observe([&] { called = true; });
  ASSERT_TRUE(observed);
  EXPECT_TRUE(called);
  EXPECT_THAT(observed->by, HasSubstr("CUPTI"));
  ASSERT_EQ(observed->kernels.size(), 1U);
  EXPECT_EQ(observed->kernels[0].name, "kernel");
  EXPECT_DOUBLE_EQ(observed->kernels[0].seconds.value, 2e-6);
  EXPECT_THAT(gpu->facts(), Not(Contains(Pair("device's kernels", testing::_))));
}

TEST_F(GpuToolsTest, WithoutTheLibrariesTheDeviceWorksAndSaysWhatIsMissing) {
  const auto gpu = fake_gpu({.nvml = "libno-nvml.so.1", .cupti = "libno-cupti.so.1"});
  EXPECT_THAT(gpu->properties().driver, testing::StartsWith("CUDA 1"));
  EXPECT_EQ(gpu->read_clocks(), std::nullopt);
  EXPECT_THAT(gpu->facts(), Contains(Pair("clocks", HasSubstr("not read: libno-nvml.so.1: cannot open"))));
  EXPECT_THAT(gpu->facts(), Not(Contains(Pair("device's kernels", testing::_))));  // nobody has asked yet
  EXPECT_EQ(gpu->observe([] {}), std::nullopt);
  EXPECT_THAT(gpu->facts(), Contains(Pair("device's kernels", HasSubstr("not seen: libno-cupti.so.1: cannot open"))));
}

TEST_F(GpuToolsTest, DoctorTellsVersionsWithoutAGpu) {
  FakeCuda::no_driver(true);
  nvml_.pci_bus_id = "of no GPU";
  EXPECT_THAT(tool_facts(both_),
              testing::ElementsAre(Pair("NVML", "of driver 580.65.06"), Pair("CUPTI", testing::StartsWith("1"))));
  EXPECT_EQ(nvml_.users, 0) << "begun and not shut down";
}

TEST_F(GpuToolsTest, DoctorTellsWhatIsMissingAndWhatThatMeans) {
  EXPECT_THAT(tool_facts({.nvml = "libno-nvml.so.1", .cupti = "libno-cupti.so.1"}),
              testing::ElementsAre(
                  Pair("NVML", testing::MatchesRegex("missing: libno-nvml.so.1: cannot open .*; profiles don't tell "
                                                     "clocks or throttling")),
                  Pair("CUPTI", testing::MatchesRegex("missing: libno-cupti.so.1: cannot open .*; profiles have no "
                                                      "kernels' names and device times"))));
  nvml_.init_result = 9;
  EXPECT_THAT(tool_facts({.nvml = SPILLWAY_FAKE_NVML, .cupti = ""}),
              testing::ElementsAre(Pair("NVML", HasSubstr("missing: nvmlInit_v2 failed with 9; ")),
                                   Pair("CUPTI", HasSubstr("missing: none is to be loaded; "))));
}

TEST_F(GpuToolsTest, WhoRefusedOnceIsNotAskedAgain) {
  const auto gpu = fake_gpu(both_);
  cupti_.enable_result = 35;
  EXPECT_EQ(gpu->observe([] {}), std::nullopt);
  cupti_.enable_result = 0;
  EXPECT_EQ(gpu->observe([] {}), std::nullopt);
  EXPECT_EQ(cupti_.observations, 0);
}

TEST_F(GpuToolsTest, AnOpThatFailsWhileItIsWatchedIsTold) {
  const auto gpu = fake_gpu(both_);
  EXPECT_THROW(static_cast<void>(gpu->observe([] { throw std::runtime_error("failed"); })), std::runtime_error);
  EXPECT_FALSE(cupti_.enabled);
  EXPECT_TRUE(gpu->observe([] {}));
}

}  // namespace
}  // namespace spillway
