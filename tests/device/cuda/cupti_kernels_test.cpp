#include "device/cuda/cupti_kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/device/cuda/fake_cupti.h"
#include "tests/device/cuda/loaded_fake.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = FakeCupti::Record::Kind;

class CuptiKernelsTest : public testing::Test {
 protected:
  ~CuptiKernelsTest() override { fake_ = {}; }

  [[nodiscard]] std::unique_ptr<CuptiKernels> open(Bytes buffer = CuptiKernels::kBuffer) {
    return CuptiKernels::open(SPILLWAY_FAKE_CUPTI, why_, buffer);
  }
  /// What is seen of `fake_.records` with such buffers.
  [[nodiscard]] ObservedKernels seen(Bytes buffer = CuptiKernels::kBuffer) {
    const auto cupti = open(buffer);
    const auto observed = cupti->observe([this] { EXPECT_TRUE(fake_.enabled); }, why_);
    EXPECT_TRUE(observed) << why_;
    return observed.value_or(ObservedKernels{});
  }
  [[nodiscard]] static std::vector<std::string> names(const ObservedKernels& observed) {
    std::vector<std::string> names;
    for (const auto& kernel : observed.kernels) names.push_back(kernel.name);
    return names;
  }

  FakeCupti& fake_ = loaded_fake<FakeCupti>(SPILLWAY_FAKE_CUPTI, "fake_cupti");
  std::string why_;
};

TEST_F(CuptiKernelsTest, TellsNamesAndSecondsInTheOrderOfTheirStarts) {
  fake_.records = {{.name = "second", .start = 5000, .end = 8000}, {.name = "_Z3addlPf", .start = 1000, .end = 2500}};
  const ObservedKernels observed = seen();
  ASSERT_THAT(names(observed), ElementsAre("add(long, float*)", "second"));
  EXPECT_DOUBLE_EQ(observed.kernels[0].seconds.value, 1.5e-6);
  EXPECT_DOUBLE_EQ(observed.kernels[1].seconds.value, 3e-6);
  EXPECT_EQ(observed.lost, 0U);
}

TEST_F(CuptiKernelsTest, RecordsOfOtherKindsBetweenThemAreSkipped) {
  fake_.records = {{.kind = Kind::memset},
                   {.name = "a", .start = 1, .end = 2},
                   {.kind = Kind::memset},
                   {.kind = Kind::kernel, .name = "b", .start = 3, .end = 4}};
  EXPECT_THAT(names(seen()), ElementsAre("a", "b"));
}

TEST_F(CuptiKernelsTest, KernelsOfManyBuffersAreAllThere) {
  constexpr std::uint64_t kCount = 100;
  for (std::uint64_t i = 1; i <= kCount; ++i) fake_.records.push_back({.name = "k", .start = i, .end = i + 1});
  const ObservedKernels observed = seen(1_KiB);  // a record takes some 200 bytes
  EXPECT_EQ(observed.kernels.size(), kCount);
  EXPECT_EQ(observed.lost, 0U);
  EXPECT_GT(fake_.buffers, 10);
}

TEST_F(CuptiKernelsTest, ABufferTooSmallForARecordLosesItAndSaysSo) {
  fake_.records = {{.name = "a", .start = 1, .end = 2}, {.name = "b", .start = 3, .end = 4}};
  const ObservedKernels observed = seen(64_B);
  EXPECT_THAT(observed.kernels, IsEmpty());
  EXPECT_EQ(observed.lost, 2U);
}

TEST_F(CuptiKernelsTest, DroppedRecordsAreCountedButNotThoseOfBefore) {
  fake_.records = {{.name = "a", .start = 1, .end = 2}};
  fake_.dropped = 3;  // before anyone looked
  const auto cupti = open();
  EXPECT_EQ(cupti->observe([] {}, why_)->lost, 0U);
  const auto observed = cupti->observe([this] { fake_.dropped = 2; }, why_);
  EXPECT_EQ(observed->lost, 2U);
  EXPECT_THAT(names(*observed), ElementsAre("a"));
}

TEST_F(CuptiKernelsTest, KernelsWithoutTimesAndIncompleteRecordsCountAsLost) {
  fake_.records = {
      {.name = "a", .start = 1, .end = 2}, {.name = "without times", .start = 0, .end = 0}, {.kind = Kind::incomplete}};
  const ObservedKernels observed = seen();
  EXPECT_THAT(names(observed), ElementsAre("a"));
  EXPECT_EQ(observed.lost, 2U);
}

TEST_F(CuptiKernelsTest, RecordsOnlyDuringAnObservation) {
  const auto cupti = open();
  EXPECT_EQ(fake_.observations, 0);
  static_cast<void>(cupti->observe([] {}, why_));
  EXPECT_EQ(fake_.observations, 1);
  EXPECT_FALSE(fake_.enabled);
  EXPECT_THROW(static_cast<void>(cupti->observe([] { throw std::runtime_error("an op failed"); }, why_)),
               std::runtime_error);
  EXPECT_FALSE(fake_.enabled);
}

TEST_F(CuptiKernelsTest, WhatItRefusesIsEmptyAndSaysWhy) {
  const auto cupti = open();
  fake_.flush_result = 999;
  EXPECT_EQ(cupti->observe([] {}, why_), std::nullopt);
  EXPECT_EQ(why_, "cuptiActivityFlushAll failed: CUPTI_ERROR_OF_THE_FAKE (999)");
  fake_.enable_result = 35;
  bool called = false;
  EXPECT_EQ(cupti->observe([&] { called = true; }, why_), std::nullopt);
  EXPECT_EQ(why_, "cuptiActivityEnable failed: CUPTI_ERROR_OF_THE_FAKE (35)");
  EXPECT_FALSE(called);
}

TEST_F(CuptiKernelsTest, SaysItsVersionInCudasNumbers) {
  fake_.version = 130102;
  // Header and library are of CUDA 12 or 13; the test is about the one that is built with.
  if (const auto cupti = open()) {
    EXPECT_EQ(cupti->version(), "CUPTI 13.1.2");
  } else {
    EXPECT_THAT(why_, HasSubstr("is CUPTI 13.1.2, of CUDA 13; this build is for CUDA 12"));
  }
}

TEST_F(CuptiKernelsTest, ALibraryOfAnotherCudaIsRefused) {
  fake_.version = 18;  // the last of CUDA 11
  EXPECT_EQ(open(), nullptr);
  EXPECT_THAT(why_, HasSubstr("is CUPTI API 18, of CUDA 11; this build is for CUDA 1"));
}

TEST_F(CuptiKernelsTest, TheToolkitsOwnLibraryHasEverythingThatIsCalled) {
#ifdef SPILLWAY_CUPTI_LIBRARY
  const auto cupti = CuptiKernels::open(SPILLWAY_CUPTI_LIBRARY, why_);
  ASSERT_NE(cupti, nullptr) << why_;
  EXPECT_THAT(cupti->version(), testing::StartsWith("CUPTI"));
#else
  GTEST_SKIP() << "no CUPTI library beside the toolkit";
#endif
}

TEST_F(CuptiKernelsTest, WithoutTheLibraryThereIsNone) {
  EXPECT_EQ(CuptiKernels::open("libspillway-has-no-such.so.1", why_), nullptr);
  EXPECT_THAT(why_, HasSubstr("cannot open shared object file"));
  EXPECT_EQ(CuptiKernels::open("libm.so.6", why_), nullptr);
  EXPECT_EQ(why_, "libm.so.6 lacks functions that CUPTI has");
}

}  // namespace
}  // namespace spillway
