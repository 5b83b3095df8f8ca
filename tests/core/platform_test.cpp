#include "core/platform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/full_platform.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// `sockets` of `on_socket` GPUs each, with bricks from each GPU to the next and from the last to the first.
Platform ring_of_bricks(std::int64_t sockets, std::int64_t on_socket) {
  Platform platform = full_platform();
  platform.uplink.reset();
  platform.gpus_per_node = sockets * on_socket;
  platform.sockets->count = sockets;
  platform.gpu_links->bricks.clear();
  for (std::int64_t gpu = 0; gpu < platform.gpus_per_node; ++gpu)
    platform.gpu_links->bricks.push_back({gpu, (gpu + 1) % platform.gpus_per_node, gpu + 1});
  return platform;
}

TEST(WithGpus, AllOfThemAreTheSameMachine) {
  EXPECT_EQ(with_gpus(full_platform(), 4), full_platform());
}

TEST(WithGpus, MoreThanThereAreIsANo) {
  EXPECT_EQ(with_gpus(full_platform(), 5), std::nullopt);
}

TEST(WithGpus, FillOneSocketBeforeTheNext) {
  const std::optional<Platform> two = with_gpus(full_platform(), 2);
  ASSERT_TRUE(two);
  EXPECT_EQ(two->gpus_per_node, 2);
  EXPECT_EQ(two->sockets->count, 1);
  EXPECT_EQ(two->uplink, full_platform().uplink);
  EXPECT_THAT(two->gpu_links->bricks, ElementsAre(Bricks{0, 1, 2}));
  EXPECT_EQ(two->host_memory, full_platform().host_memory);
  EXPECT_EQ(two->network, full_platform().network);
}

TEST(WithGpus, OfOneGpuHasNoBricks) {
  const std::optional<Platform> one = with_gpus(full_platform(), 1);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->gpus_per_node, 1);
  EXPECT_THAT(one->gpu_links->bricks, IsEmpty());
}

TEST(WithGpus, SharedByTwoSocketsAreNumberedAnew) {
  // Two sockets of GPUs 0 1 2 | 3 4 5. Of these four are 0 1 | 3 4, which become 0 1 | 2 3. Bricks 0-1 (1) and 3-4 (4)
  // stay; 1-2, 2-3, 4-5 and 5-0 lose an end.
  const std::optional<Platform> four = with_gpus(ring_of_bricks(2, 3), 4);
  ASSERT_TRUE(four);
  EXPECT_EQ(four->sockets->count, 2);
  EXPECT_THAT(four->gpu_links->bricks, ElementsAre(Bricks{0, 1, 1}, Bricks{2, 3, 4}));
}

TEST(WithGpus, ThatSocketsCantShareEvenlyAreANo) {
  EXPECT_EQ(with_gpus(ring_of_bricks(2, 3), 5), std::nullopt);
  EXPECT_TRUE(with_gpus(ring_of_bricks(2, 3), 3));
}

TEST(WithGpus, TakeAThirdSocketWhereTwoCantShareThem) {
  // 9 of 3 sockets of 4: two sockets would have 4.5 each, three have 3.
  const std::optional<Platform> nine = with_gpus(ring_of_bricks(3, 4), 9);
  ASSERT_TRUE(nine);
  EXPECT_EQ(nine->sockets->count, 3);
}

TEST(WithGpus, NeverTearASwitchInTwo) {
  // Two sockets of 0 1 2 3 | 4 5 6 7 with two GPUs a switch. Six would be 0 1 2 | 4 5 6, and with new numbers the third
  // would share a switch with the fourth.
  Platform eight = ring_of_bricks(2, 4);
  eight.uplink = full_platform().uplink;
  EXPECT_EQ(with_gpus(eight, 6), std::nullopt);
  EXPECT_TRUE(with_gpus(eight, 4));
  EXPECT_TRUE(with_gpus(eight, 3));  // 0 1 | 2 on one socket
  eight.uplink.reset();
  EXPECT_TRUE(with_gpus(eight, 6));
}

TEST(WithGpus, NeedsNoSocketsNorLinks) {
  Platform plain = full_platform();
  plain.sockets.reset();
  plain.gpu_links.reset();
  plain.uplink.reset();
  const std::optional<Platform> three = with_gpus(plain, 3);
  ASSERT_TRUE(three);
  plain.gpus_per_node = 3;
  EXPECT_EQ(*three, plain);
}

TEST(WithGpus, OfNoneIsOurMistake) {
  EXPECT_THROW(static_cast<void>(with_gpus(full_platform(), 0)), Bug);
}

}  // namespace
}  // namespace spillway
