#include "profiler/copy_timer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "device/spec.h"

namespace spillway {
namespace {

/// start + bytes / rate at the given sizes.
std::vector<CopyPoint> line(Seconds start, BytesPerSecond rate, const std::vector<Bytes>& sizes) {
  std::vector<CopyPoint> curve;
  for (const Bytes size : sizes) curve.push_back({.bytes = size, .seconds = start + size / rate});
  return curve;
}
const std::vector<Bytes> kSizes{4_KiB, 64_KiB, 1_MiB, 64_MiB};

TEST(FitLine, FindsStartAndRateOfAnExactLine) {
  const CopyLine found = fit_line(line({20e-6}, {2e9}, kSizes));
  EXPECT_NEAR(found.start.value, 20e-6, 1e-12);
  EXPECT_NEAR(found.rate.value, 2e9, 1);
}

TEST(FitLine, ALargeCopyThatIsALittleOffDoesNotMoveTheStart) {
  // 64 MiB at 2 GB/s take 33.5 ms. One per cent of that, 335 us, would swamp the start of 20 us in a fit of absolute
  // errors.
  auto curve = line({20e-6}, {2e9}, kSizes);
  curve.back().seconds = curve.back().seconds * 1.01;
  EXPECT_NEAR(fit_line(curve).start.value, 20e-6, 1e-6);
}

TEST(FitLine, TheStartIsNeverBelowZero) {
  // Small copies faster than in proportion, as from a cache: the best line would start at -1 us.
  const CopyLine found = fit_line({{1_KiB, {0.5e-6}}, {2_KiB, {2e-6}}});
  EXPECT_EQ(found.start.value, 0);
  EXPECT_GT(found.rate.value, 0);
}

const CopyCurves kCurves{.in = line({10e-6}, {12e9}, kSizes),
                         .out = line({30e-6}, {10e9}, kSizes),
                         .in_both = line({40e-6}, {8e9}, kSizes),
                         .out_both = line({40e-6}, {7e9}, kSizes)};

TEST(LinkFrom, TakesEachFigureFromItsCurve) {
  const HostLink link = link_from(kCurves, {}, "measured: here");
  EXPECT_NEAR(link.in.value.value, 12e9, 1e3);
  EXPECT_NEAR(link.out.value.value, 10e9, 1e3);
  EXPECT_NEAR(link.start.value, 30e-6, 1e-9);  // the slower way's
  ASSERT_TRUE(link.both);
  EXPECT_NEAR(link.both->value.value, 15e9, 1e3);  // 8 + 7
  for (const std::string& source : {link.in.source, link.out.source, link.both->source}) {
    EXPECT_EQ(source, "measured: here");
  }
}

TEST(LinkFrom, WaysThatDoNotSlowEachOtherHaveNoCap) {
  CopyCurves curves = kCurves;
  curves.in_both = curves.in;
  curves.out_both = curves.out;
  EXPECT_FALSE(link_from(curves, {}, "").both);
}

TEST(LinkFrom, KeepsTheRatesThatADeviceWasMadeWith) {
  const HostLink set{.in = {{1e9}, "set"}, .out = {{2e9}, "set"}, .both = Rate{{2.5e9}, "set"}, .start = {5e-6}};
  const HostLink link = link_from(kCurves, set, "measured: here");
  EXPECT_EQ(link.in, set.in);
  EXPECT_EQ(link.out, set.out);
  EXPECT_EQ(link.both, set.both);
}

TEST(TimeCopies, MeasuresEverySizeEachWayAloneAndBeside) {
  const std::unique_ptr<Device> device = make_device(parse_device("cpu"));
  Workbench bench(*device, 1_MiB);
  const CopyCurves curves = time_copies(bench);
  for (const std::vector<CopyPoint>* curve : {&curves.in, &curves.out, &curves.in_both, &curves.out_both}) {
    std::vector<Bytes> sizes;
    for (const CopyPoint& point : *curve) {
      sizes.push_back(point.bytes);
      EXPECT_GT(point.seconds.value, 0) << point.bytes.value << " bytes";
    }
    EXPECT_EQ(sizes, (std::vector<Bytes>{4_KiB, 16_KiB, 64_KiB, 256_KiB, 1_MiB, 4_MiB, 16_MiB, 64_MiB}));
  }
}

}  // namespace
}  // namespace spillway
