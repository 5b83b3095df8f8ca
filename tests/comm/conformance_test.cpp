#include "tests/comm/conformance.h"

#include <gtest/gtest.h>

#include <bit>

#include "comm/alone.h"
#include "comm/threads.h"

namespace spillway {
namespace {

struct RanksAndCase {
  int ranks;
  std::size_t index;
};

std::vector<RanksAndCase> all_of(std::initializer_list<int> rank_counts) {
  std::vector<RanksAndCase> all;
  for (const int ranks : rank_counts) {
    for (std::size_t i = 0; i < conformance_cases().size(); ++i) all.push_back({ranks, i});
  }
  return all;
}

std::string name_of(const testing::TestParamInfo<RanksAndCase>& info) {
  return conformance_cases()[info.param.index].name + "On" + std::to_string(info.param.ranks);
}

class ThreadRanks : public testing::TestWithParam<RanksAndCase> {};

TEST_P(ThreadRanks, KeepThePromise) {
  run_ranks(GetParam().ranks, conformance_cases()[GetParam().index].body);
}

INSTANTIATE_TEST_SUITE_P(Conformance, ThreadRanks, testing::ValuesIn(all_of({1, 2, 3, 4, 7})), name_of);

class AloneRank : public testing::TestWithParam<RanksAndCase> {};

TEST_P(AloneRank, KeepsThePromise) {
  conformance_cases()[GetParam().index].body(*alone());
}

INSTANTIATE_TEST_SUITE_P(Conformance, AloneRank, testing::ValuesIn(all_of({1})), name_of);

TEST(MadeUpFloats, TellOneOrderOfAdditionFromAnother) {
  int reversed = 0, from_zero = 0;
  for (std::size_t i = 0; i < 1000; ++i) {
    const float expected = rank_order_sum(3, i, 1);
    const float backwards = (made_up_float(2, i) + made_up_float(1, i)) + made_up_float(0, i);
    reversed += expected != backwards ? 1 : 0;
    float sum = 0;
    for (int rank = 0; rank < 3; ++rank) sum += made_up_float(rank, i);
    from_zero += std::bit_cast<std::uint32_t>(sum) != std::bit_cast<std::uint32_t>(expected) ? 1 : 0;
  }
  EXPECT_GT(reversed, 100);
  EXPECT_GT(from_zero, 0);  // where all have -0.0
}

}  // namespace
}  // namespace spillway
