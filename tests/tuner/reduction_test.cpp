#include "tuner/reduction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace spillway {
namespace {

using Buckets = std::vector<std::vector<BufferId>>;

/// When the last of these buckets' all-reduces ends.
template <class SecondsOf>
double end_of(const std::vector<CompletedGradient>& gradients, const Buckets& buckets, SecondsOf seconds) {
  double end = 0;
  std::size_t next = 0;
  for (const auto& bucket : buckets) {
    Bytes size;
    double ready = 0;
    for (const BufferId gradient : bucket) {
      EXPECT_EQ(gradient, gradients[next].gradient);  // in order, each once
      size += gradients[next].bytes;
      ready = gradients[next++].completed.value;
    }
    end = std::max(end, ready) + seconds(size).value;
  }
  EXPECT_EQ(next, gradients.size());
  return end;
}

TEST(ShortestBuckets, EndNoLaterThanAnyOthers) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const std::size_t count = 1 + random() % 9;
    std::vector<CompletedGradient> gradients;
    double now = 0;
    for (std::size_t i = 0; i < count; ++i) {
      now += static_cast<double>(random() % 100);
      gradients.push_back(
          {.gradient = BufferId(i), .bytes = {1 + static_cast<std::int64_t>(random() % 200)}, .completed = {now}});
    }
    const double start = static_cast<double>(random() % 120), rate = 1 + static_cast<double>(random() % 5);
    const auto seconds = [&](Bytes size) { return Seconds{start + static_cast<double>(size.value) / rate}; };
    const double found = end_of(gradients, shortest_buckets(gradients, seconds), seconds);
    // All ways to cut the row: bit i says whether a bucket ends behind gradient i.
    for (unsigned cuts = 0; cuts < (1U << (count - 1)); ++cuts) {
      Buckets buckets(1);
      for (std::size_t i = 0; i < count; ++i) {
        buckets.back().push_back(gradients[i].gradient);
        if (i + 1 < count && (cuts >> i & 1U) != 0) buckets.emplace_back();
      }
      EXPECT_LE(found, end_of(gradients, buckets, seconds) + 1e-9) << "round " << round;
    }
  }
}

TEST(ShortestBuckets, OfEqualEndsAreTheFewest) {
  const std::vector<CompletedGradient> gradients{{.gradient = BufferId(0U), .bytes = {4}, .completed = {1}},
                                                 {.gradient = BufferId(1U), .bytes = {4}, .completed = {1}}};
  const auto no_start = [](Bytes size) { return Seconds{static_cast<double>(size.value)}; };
  EXPECT_EQ(shortest_buckets(gradients, no_start).size(), 1U);
  EXPECT_TRUE(shortest_buckets({}, no_start).empty());
}

}  // namespace
}  // namespace spillway
