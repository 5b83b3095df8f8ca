#include "core/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace spillway {
namespace {

Timeline timeline(std::vector<double> seconds, const std::string& title) {
  Timeline made;
  made.title = title;
  made.streams.push_back({.role = StreamRole::compute, .gpu = 0});
  made.streams.push_back({.role = StreamRole::swap_in, .gpu = 0});
  const char* const kinds[] = {"linear", "swap_in", "linear", "adam"};
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    const bool copy = i == 1;
    made.events.push_back({.instruction = InstructionId(i),
                           .stream = StreamId(copy ? 1U : 0U),
                           .name = "e" + std::to_string(i),
                           .kind = kinds[i],
                           .start = {10},
                           .end = {10 + seconds[i]},
                           .bytes = {}});
  }
  made.step = {seconds.front() * 8};
  made.stall = {1};
  return made;
}

std::vector<std::string> names_of(const std::vector<Difference>& differences) {
  std::vector<std::string> names;
  for (const Difference& difference : differences) names.push_back(difference.name);
  return names;
}

TEST(Compare, SumsByStreamAndKindAndSortsByDifference) {
  const Comparison comparison = compare(timeline({1, 2, 4, 8}, "a"), timeline({2, 2, 8, 7}, "b"));
  EXPECT_EQ(comparison.step.first.value, 8);
  EXPECT_EQ(comparison.step.second.value, 16);
  EXPECT_DOUBLE_EQ(comparison.step.error(), -0.5);  // predicted half of what it took
  EXPECT_DOUBLE_EQ(comparison.stall.error(), 0);
  EXPECT_EQ(names_of(comparison.busy), (std::vector<std::string>{"compute", "swap-in"}));
  EXPECT_EQ(comparison.busy[0].first.value, 13);  // 1 + 4 + 8
  EXPECT_EQ(comparison.busy[0].second.value, 17);
  EXPECT_EQ(comparison.busy[1].seconds().value, 0);
  EXPECT_EQ(names_of(comparison.kinds), (std::vector<std::string>{"linear", "adam", "swap_in"}));  // -5, 1, 0
  EXPECT_EQ(names_of(comparison.ops), (std::vector<std::string>{"e2", "e0", "e3", "e1"}));         // -4, -1, 1, 0
}

TEST(Compare, NothingOverNothingIsNoError) {
  EXPECT_EQ((Difference{"x", {1}, {0}}).error(), 0);
}

std::string complaint(const Timeline& first, const Timeline& second) {
  try {
    static_cast<void>(compare(first, second));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input);
    return error.what();
  }
  return "none";
}

TEST(Compare, TimelinesOfTwoSchedulesAreRefused) {
  const Timeline four = timeline({1, 2, 4, 8}, "a");
  EXPECT_EQ(complaint(four, timeline({1, 2}, "b")),
            "the timelines 'a' (4 events) and 'b' (2 events) aren't of one schedule");
  Timeline renamed = four;
  renamed.events[2].name = "other";
  EXPECT_EQ(complaint(four, renamed), "the timelines aren't of one schedule: event 2 is 'e2' here and 'other' there");
  Timeline streams = four;
  streams.streams.push_back({.role = StreamRole::host, .gpu = 0});
  EXPECT_EQ(complaint(four, streams), "the timelines 'a' (4 events) and 'a' (4 events) aren't of one schedule");
}

TEST(Compare, LooksAtTheGpusThatBothHave) {
  const Timeline predicted = timeline({1, 2, 3}, "predicted"), measured = timeline({2, 2, 3}, "rank 0"),
                 slower = timeline({4, 5, 6}, "rank 1");
  const Timeline both = side_by_side({measured, slower});
  EXPECT_EQ(gpus_of(both), 2U);
  EXPECT_EQ(both.step, slower.step);
  EXPECT_EQ(first_gpus(both, 1).events, measured.events);
  const Comparison found = compare(predicted, both), expected = compare(predicted, measured);
  EXPECT_EQ(found.busy.size(), expected.busy.size());
  // Streams may come in any order.
  Timeline turned = both;
  for (const StreamId id : turned.streams.ids()) turned.streams[id].gpu = 1 - turned.streams[id].gpu;
  EXPECT_EQ(first_gpus(turned, 1).events, first_gpus(side_by_side({slower, measured}), 1).events);
  EXPECT_EQ(found.busy[0].second, expected.busy[0].second);
  EXPECT_EQ(found.step.second, slower.step);
}

}  // namespace
}  // namespace spillway
