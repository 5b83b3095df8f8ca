#include "profiler/all_reduce_timer.h"

#include <gtest/gtest.h>

#include "comm/threads.h"
#include "device/spec.h"

namespace spillway {
namespace {

TEST(TimeAllReduces, GivesEveryRankTheSameCurve) {
  std::vector<AllReduceCurve> curves(2);
  std::vector<Bytes> told;
  run_ranks(2, [&](Communicator& ranks) {
    const std::unique_ptr<Device> device = make_device(parse_device("cpu:threads=1"));
    std::function<void(Bytes)> progress;
    if (ranks.rank() == 0) progress = [&](Bytes size) { told.push_back(size); };
    curves[static_cast<std::size_t>(ranks.rank())] = time_all_reduces(*device, ranks, progress, 16_KiB);
    // The floats that were added up are still what they were: their own mean.
    EXPECT_EQ(*reinterpret_cast<const float*>(device->arena_on_host()), 0.5F);
  });
  EXPECT_EQ(curves[0], curves[1]);
  EXPECT_EQ(curves[0].ranks, 2);
  EXPECT_EQ(told, (std::vector<Bytes>{4_KiB, 16_KiB}));
  ASSERT_EQ(curves[0].points.size(), 2U);
  for (const auto& point : curves[0].points) EXPECT_GE(point.seconds, Seconds{1e-6});
}

}  // namespace
}  // namespace spillway
