#include "device/cpu/paced_link.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace spillway {
namespace {

// Rates in bytes per second and times in seconds, small enough to follow by hand.

TEST(PacedLink, CopyAloneRunsAtItsOwnRate) {
  PacedLink link({.in = 10, .out = 5});
  link.begin(Direction::in, Seconds{2}, 100);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::in, 0).value, 2);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::in, 50).value, 7);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::in, 100).value, 12);
  link.advance_to(Seconds{7});
  EXPECT_DOUBLE_EQ(link.through(Direction::in), 50);
  EXPECT_TRUE(link.active(Direction::in));
  link.advance_to(Seconds{20});
  EXPECT_FALSE(link.active(Direction::in));
  EXPECT_DOUBLE_EQ(link.ended(Direction::in).value, 12) << "not when somebody looked";
}

TEST(PacedLink, DirectionsUnderTheCapDoNotSlowEachOther) {
  PacedLink link({.in = 10, .out = 5, .both = 15});
  link.begin(Direction::in, Seconds{0}, 100);
  link.begin(Direction::out, Seconds{0}, 100);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::in, 100).value, 10);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::out, 100).value, 20);
}

TEST(PacedLink, CapIsHalvedBetweenTwoThatWantMore) {
  PacedLink link({.in = 10, .out = 10, .both = 12});
  // In alone: 10 B/s for 2 s, 20 B. Then 6 B/s each. In's other 60 B take 10 s: it ends at 12, when out has 60 of its
  // 100 B; out's last 40 B take 4 s at 10 B/s.
  link.begin(Direction::in, Seconds{0}, 80);
  link.begin(Direction::out, Seconds{2}, 100);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::in, 80).value, 12);
  link.advance_to(Seconds{30});
  EXPECT_DOUBLE_EQ(link.ended(Direction::in).value, 12);
  EXPECT_DOUBLE_EQ(link.ended(Direction::out).value, 16);
}

TEST(PacedLink, WhoWantsLessThanHalfGetsItAndTheOtherTheRest) {
  PacedLink link({.in = 2, .out = 20, .both = 12});
  link.begin(Direction::in, Seconds{0}, 20);
  link.begin(Direction::out, Seconds{0}, 100);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::in, 20).value, 10);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::out, 100).value, 10);
}

TEST(PacedLink, CapAloneBoundsEachDirection) {
  PacedLink link({.both = 10});
  link.begin(Direction::out, Seconds{0}, 100);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::out, 100).value, 10);
  link.begin(Direction::in, Seconds{0}, 100);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::out, 100).value, 20);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::in, 100).value, 20);
}

TEST(PacedLink, LinkWithoutRatesCarriesAtOnce) {
  PacedLink link({});
  link.begin(Direction::in, Seconds{1}, 1e9);
  link.begin(Direction::out, Seconds{1}, 1e9);
  link.advance_to(Seconds{1.5});
  EXPECT_FALSE(link.active(Direction::in));
  EXPECT_DOUBLE_EQ(link.ended(Direction::in).value, 1);
  EXPECT_DOUBLE_EQ(link.ended(Direction::out).value, 1);
  EXPECT_DOUBLE_EQ(link.through(Direction::in), 1e9);
}

TEST(PacedLink, LateNewsDoNotChangeThePast) {
  PacedLink link({.in = 10, .out = 10, .both = 10});
  link.begin(Direction::in, Seconds{0}, 100);
  link.advance_to(Seconds{4});
  // Told at 4 of a copy that was ready at 3: it begins at 4.
  link.begin(Direction::out, Seconds{3}, 10);
  EXPECT_DOUBLE_EQ(link.through(Direction::in), 40);
  EXPECT_DOUBLE_EQ(link.time_of(Direction::out, 10).value, 6);
}

TEST(PacedLink, SecondCopyInOneDirectionIsOurBug) {
  PacedLink link({.in = 10});
  link.begin(Direction::in, Seconds{0}, 100);
  EXPECT_THROW(link.begin(Direction::in, Seconds{1}, 100), Bug);
}

}  // namespace
}  // namespace spillway
