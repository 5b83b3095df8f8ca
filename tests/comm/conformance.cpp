#include "tests/comm/conformance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <numeric>
#include <thread>

namespace spillway {

float made_up_float(int rank, std::size_t index) {
  // The mixing steps of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): cheap, as millions are made.
  std::uint64_t bits = (static_cast<std::uint64_t>(rank) << 40 | index) * 0x9E3779B97F4A7C15U;
  bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9U;
  bits = (bits ^ bits >> 27) * 0x94D049BB133111EBU;
  bits ^= bits >> 31;
  if (index % 16 == 3 || bits >> 60 == 0) return -0.0F;
  const std::uint64_t exponent = 127 - 6 + (bits >> 32) % 12;  // 2^-6 to 2^5
  const std::uint64_t sign_and_fraction = bits & 0x807FFFFFU;
  return std::bit_cast<float>(static_cast<std::uint32_t>(sign_and_fraction | exponent << 23));
}

float rank_order_sum(int ranks, std::size_t index, float scale) {
  float sum = made_up_float(0, index);
  for (int rank = 1; rank < ranks; ++rank) sum += made_up_float(rank, index);
  return sum * scale;
}

namespace {

/// One rank's floats, cut into pieces.
class CutFloats {
 public:
  CutFloats(int rank, const std::vector<std::size_t>& sizes)
      : floats_(std::accumulate(sizes.begin(), sizes.end(), std::size_t{0})) {
    for (std::size_t i = 0; i < floats_.size(); ++i) floats_[i] = made_up_float(rank, i);
    std::size_t first = 0;
    for (const std::size_t size : sizes) {
      pieces_.push_back(std::span(floats_).subspan(first, size));
      first += size;
    }
  }
  [[nodiscard]] std::span<const std::span<float>> pieces() const { return pieces_; }
  [[nodiscard]] const std::vector<float>& floats() const { return floats_; }

 private:
  std::vector<float> floats_;
  std::vector<std::span<float>> pieces_;
};

/// The first float that isn't the expected one to the last bit, or the number of floats.
template <typename Expected>
std::size_t first_difference(const std::vector<float>& floats, Expected expected) {
  std::size_t i = 0;
  while (i < floats.size() && std::bit_cast<std::uint32_t>(floats[i]) == std::bit_cast<std::uint32_t>(expected(i))) ++i;
  return i;
}

void expect_sums(Communicator& communicator, const std::vector<std::size_t>& sizes, float scale) {
  CutFloats mine(communicator.rank(), sizes);
  communicator.all_reduce_sum(mine.pieces(), scale);
  const auto expected = [&](std::size_t i) { return rank_order_sum(communicator.size(), i, scale); };
  EXPECT_EQ(first_difference(mine.floats(), expected), mine.floats().size())
      << "on rank " << communicator.rank() << " of " << communicator.size() << ", " << sizes.size() << " pieces";
}

/// A case that sums pieces of these sizes.
ConformanceCase sums(std::string name, std::vector<std::size_t> sizes, float scale = 1.0F) {
  return {std::move(name), [sizes = std::move(sizes), scale](Communicator& c) { expect_sums(c, sizes, scale); }};
}

std::vector<std::size_t> many_sizes(std::size_t pieces) {
  std::vector<std::size_t> sizes(pieces);
  for (std::size_t i = 0; i < pieces; ++i) sizes[i] = i * 7 % 23;
  return sizes;
}

void other_pieces_of_the_same_floats_give_the_same_bits(Communicator& communicator) {
  for (const std::vector<std::size_t>& sizes :
       {std::vector<std::size_t>{70'001}, {1, 70'000}, {35'000, 0, 35'001}, std::vector<std::size_t>(70'001, 1)})
    expect_sums(communicator, sizes, 0.125F);
}

void calls_of_changing_sizes_follow_each_other(Communicator& communicator) {
  for (std::size_t call = 0; call < 40; ++call) expect_sums(communicator, {call * 997 % 3000, call % 3}, 0.5F);
}

void expect_refused(Communicator& communicator, const CutFloats& mine, float scale, const std::string& text) {
  const std::vector<float> before = mine.floats();
  try {
    communicator.all_reduce_sum(mine.pieces(), scale);
    ADD_FAILURE() << "rank " << communicator.rank() << " was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input);
    EXPECT_EQ(error.what(), text) << "on rank " << communicator.rank();
  }
  EXPECT_EQ(first_difference(mine.floats(), [&](std::size_t i) { return before[i]; }), before.size());
}

void other_sizes_on_one_rank_are_refused_on_all(Communicator& communicator) {
  if (communicator.size() == 1) return;  // nobody to differ from
  const bool last = communicator.rank() == communicator.size() - 1;
  const std::string who = "rank " + std::to_string(communicator.size() - 1) + ": found an all-reduce of ";
  const std::string what_to_do = " as on rank 0; give all ranks the same files and flags";
  expect_refused(communicator, CutFloats(communicator.rank(), {3, last ? 5UL : 4UL}), 1,
                 who + "8 floats in 2 pieces, expected an all-reduce of 7 floats in 2 pieces" + what_to_do);
  expect_refused(communicator,
                 CutFloats(communicator.rank(), last ? std::vector<std::size_t>{7} : std::vector<std::size_t>{3, 4}), 1,
                 who + "7 floats in 1 pieces, expected an all-reduce of 7 floats in 2 pieces" + what_to_do);
  const std::string signature =
      who + "7 floats in 2 pieces of other sizes or scale, expected an all-reduce of 7 floats in 2 pieces" + what_to_do;
  expect_refused(communicator,
                 CutFloats(communicator.rank(), last ? std::vector<std::size_t>{4, 3} : std::vector<std::size_t>{3, 4}),
                 1, signature);
  expect_refused(communicator, CutFloats(communicator.rank(), {3, 4}), last ? 0.5F : 1.0F, signature);
  // Sizes that were right before don't hide that another rank's are wrong now.
  expect_sums(communicator, {3, 4}, 1);
  expect_refused(communicator, CutFloats(communicator.rank(), {3, last ? 200'000UL : 4UL}), 1,
                 who + "200003 floats in 2 pieces, expected an all-reduce of 7 floats in 2 pieces" + what_to_do);
  expect_sums(communicator, {3, 4}, 1);
}

void other_calls_on_one_rank_are_refused_on_all(Communicator& communicator) {
  if (communicator.size() == 1) return;
  EXPECT_THROW(communicator.rank() == 0 ? communicator.barrier() : static_cast<void>(communicator.all_gather("x")),
               Error);
  std::array<std::byte, 4> bytes{};
  EXPECT_THROW(communicator.broadcast(bytes, communicator.rank() == 0 ? 0 : 1), Error);
  EXPECT_THROW(communicator.broadcast(std::span(bytes).first(communicator.rank() == 0 ? 4 : 3), 0), Error);
  expect_sums(communicator, {100}, 1);
}

void every_root_can_broadcast(Communicator& communicator) {
  for (int root = 0; root < communicator.size(); ++root) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{(1 << 20) + 3}}) {
      const auto byte_of = [&](int rank, std::size_t i) { return static_cast<std::byte>(i * 31 + std::size_t(rank)); };
      std::vector<std::byte> bytes(size), expected(size);
      for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = byte_of(communicator.rank(), i);
        expected[i] = byte_of(root, i);
      }
      communicator.broadcast(bytes, root);
      EXPECT_TRUE(bytes == expected) << size << " bytes from rank " << root << " on rank " << communicator.rank();
    }
  }
}

void every_rank_gets_every_text(Communicator& communicator) {
  // Rank 0's is empty, each next one longer, with zero bytes in it.
  const auto text_of = [](int rank) {
    std::string text;
    for (int i = 0; i < rank * 1000; ++i) text.push_back(static_cast<char>(i % 256));
    return text;
  };
  const std::vector<std::string> texts = communicator.all_gather(text_of(communicator.rank()));
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(communicator.size()));
  for (int rank = 0; rank < communicator.size(); ++rank)
    EXPECT_EQ(texts[static_cast<std::size_t>(rank)], text_of(rank)) << "on rank " << communicator.rank();
}

void ranks_count_from_zero(Communicator& communicator) {
  const std::vector<std::string> ranks = communicator.all_gather(std::to_string(communicator.rank()));
  for (std::size_t i = 0; i < ranks.size(); ++i) EXPECT_EQ(ranks[i], std::to_string(i));
  EXPECT_EQ(ranks.size(), static_cast<std::size_t>(communicator.size()));
}

void two_threads_use_a_duplicate_each_at_once(Communicator& communicator) {
  const std::unique_ptr<Communicator> network = communicator.duplicate();
  EXPECT_EQ(network->rank(), communicator.rank());
  EXPECT_EQ(network->size(), communicator.size());
  std::jthread reducing([&] {
    for (std::size_t call = 0; call < 30; ++call) expect_sums(*network, {call * 1009, 3}, 0.25F);
  });
  for (int call = 0; call < 100; ++call) {
    const std::vector<std::string> texts = communicator.all_gather(std::to_string(communicator.rank() * 1000 + call));
    for (int rank = 0; rank < communicator.size(); ++rank)
      EXPECT_EQ(texts[static_cast<std::size_t>(rank)], std::to_string(rank * 1000 + call));
    communicator.barrier();
  }
}

void a_duplicate_has_duplicates(Communicator& communicator) {
  const auto second = communicator.duplicate();
  const auto third = second->duplicate();
  expect_sums(*third, {5}, 1);
  expect_sums(*second, {6}, 1);
  expect_sums(communicator, {7}, 1);
}

void staging_does_not_grow(Communicator& communicator) {
  const Bytes before = communicator.staging_bytes();
  expect_sums(communicator, {1, 2, 3}, 1);
  expect_sums(communicator, {300'000}, 1);
  EXPECT_EQ(communicator.staging_bytes(), before);
  EXPECT_LE(before, 16_MiB);
}

}  // namespace

const std::vector<ConformanceCase>& conformance_cases() {
  // 65536 floats is what MPI ranks send in one message.
  static const std::vector<ConformanceCase> cases{
      sums("SumsNoPieces", {}),
      sums("SumsAnEmptyPiece", {0}),
      sums("SumsOneFloat", {1}),
      sums("SumsFewerFloatsThanRanks", {2}),
      sums("SumsOddSizes", {1, 3, 7, 13, 1021}),
      sums("SumsEmptyPiecesAmongOthers", {0, 5, 0, 0, 17, 0}),
      sums("SumsManyPieces", many_sizes(20'000), 1.0F / 3),
      sums("SumsOneMessage", {65'536}),
      sums("SumsOneFloatMoreThanAMessage", {65'537}, 0.1F),
      sums("SumsPiecesAcrossMessages", {65'530, 20, 2 * 65'536 - 5, 0, 1, 65'536}, 1.0F / 7),
      sums("SumsMoreMessagesThanAreUnderWayAtOnce", {20 * 65'536 + 123}, 0.5F),
      sums("SumsManyPiecesInManyMessages", std::vector<std::size_t>(130, 9973), 0.5F),
      {"OtherPiecesOfTheSameFloatsGiveTheSameBits", other_pieces_of_the_same_floats_give_the_same_bits},
      {"CallsOfChangingSizesFollowEachOther", calls_of_changing_sizes_follow_each_other},
      {"OtherSizesOnOneRankAreRefusedOnAll", other_sizes_on_one_rank_are_refused_on_all},
      {"OtherCallsOnOneRankAreRefusedOnAll", other_calls_on_one_rank_are_refused_on_all},
      {"EveryRootCanBroadcast", every_root_can_broadcast},
      {"EveryRankGetsEveryText", every_rank_gets_every_text},
      {"RanksCountFromZero", ranks_count_from_zero},
      {"TwoThreadsUseADuplicateEachAtOnce", two_threads_use_a_duplicate_each_at_once},
      {"ADuplicateHasDuplicates", a_duplicate_has_duplicates},
      {"StagingDoesNotGrow", staging_does_not_grow},
  };
  return cases;
}

}  // namespace spillway
