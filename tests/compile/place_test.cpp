#include "compile/place.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace spillway {
namespace {

constexpr PlaceEffort kSmallest{.rounds = 10, .enough = {}};

Residency stay(std::int64_t bytes, std::size_t first, std::size_t last, bool wraps = false) {
  return {
      .buffer = {}, .offset = {}, .bytes = {bytes}, .first = Position(first), .last = Position(last), .wraps = wraps};
}

IdVector<ResidencyId, Residency> stays(std::initializer_list<Residency> list) {
  IdVector<ResidencyId, Residency> all;
  for (const Residency& residency : list) all.push_back(residency);
  return all;
}

TEST(Place, StaysThatMeetLieBesideEachOtherAndOthersShare) {
  //  256 |    bbbb
  //      |    bbbb      a: 0..1, b: 1..2, c: 2..3; a and c share
  //    0 | aaaa  cccc
  const Placement placement = place(stays({stay(128, 0, 1), stay(128, 1, 2), stay(128, 2, 3)}), 4, {256}, kSmallest);
  EXPECT_EQ(placement.arena_bytes, Bytes{256});
  EXPECT_EQ(placement.offsets[ResidencyId(std::size_t{0})], placement.offsets[ResidencyId(std::size_t{2})]);
  EXPECT_NE(placement.offsets[ResidencyId(std::size_t{0})], placement.offsets[ResidencyId(std::size_t{1})]);
}

TEST(Place, AStayAroundTheStepsEndIsOneArcWithOneOffset) {
  // The arc is there at positions 3 and 0; the other stay only at 1 and 2: they share. What is there at 0 can't.
  const Placement placement = place(stays({stay(64, 3, 0, true), stay(64, 1, 2), stay(64, 0, 0)}), 4, {128}, kSmallest);
  EXPECT_EQ(placement.arena_bytes, Bytes{128});
  EXPECT_NE(placement.offsets[ResidencyId(std::size_t{0})], placement.offsets[ResidencyId(std::size_t{2})]);
}

TEST(Place, NothingToPlaceNeedsNothing) {
  EXPECT_EQ(place({}, 0, {}, kSmallest).arena_bytes, Bytes{0});
}

TEST(Place, WhatIsAlwaysThereLiesAtTheBottom) {
  const Placement placement =
      place(stays({stay(64, 0, 1), stay(128, 0, 3), stay(192, 2, 3), stay(64, 2, 1, true)}), 4, {384}, kSmallest);
  EXPECT_EQ(placement.arena_bytes, Bytes{384});
  EXPECT_LT(placement.offsets[ResidencyId(std::size_t{1})], Bytes{192});
  EXPECT_LT(placement.offsets[ResidencyId(std::size_t{3})], Bytes{192});
}

TEST(Place, WhatIsEnoughIsNotImprovedOn) {
  const auto all = stays({stay(128, 0, 0), stay(64, 0, 1), stay(128, 1, 2), stay(64, 2, 2)});
  const Bytes smallest = place(all, 3, {192}, kSmallest).arena_bytes;
  EXPECT_EQ(smallest, Bytes{192});
  const Bytes enough = place(all, 3, {192}, {.rounds = 10, .enough = {4096}}).arena_bytes;
  EXPECT_GE(enough, smallest);
  EXPECT_EQ(place(all, 3, {192}, {.rounds = 10, .enough = {INT64_MAX}}).arena_bytes, enough);
  EXPECT_LE(enough, Bytes{4096});
}

TEST(Place, TwoArcsAlwaysMeet) {
  EXPECT_EQ(place(stays({stay(64, 5, 0, true), stay(64, 3, 1, true)}), 6, {128}, kSmallest).arena_bytes, Bytes{128});
}

}  // namespace
}  // namespace spillway
