#include "comm/announcement.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/error.h"

namespace spillway {
namespace {

/// 64-bit FNV-1a, word by word.
class Signature {
 public:
  void add(std::uint64_t word) { value_ = (value_ ^ word) * 0x100000001B3U; }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xCBF29CE484222325U;
};

std::string text_of(const Announcement& announcement) {
  switch (announcement.call) {
    case Announcement::Call::all_reduce_sum:
      return fmt::format("an all-reduce of {} floats in {} pieces", announcement.size, announcement.pieces);
    case Announcement::Call::broadcast: return fmt::format("a broadcast of {} bytes", announcement.size);
    case Announcement::Call::all_gather: return "an all-gather";
    case Announcement::Call::barrier: return "a barrier";
    case Announcement::Call::duplicate: return "a duplicate";
  }
  return "a call of another version";
}

bool alike(const Announcement& a, const Announcement& b) {
  const bool sizes_alike = a.call == Announcement::Call::all_gather || a.size == b.size;
  return a.call == b.call && a.pieces == b.pieces && sizes_alike && a.signature == b.signature;
}

}  // namespace

Announcement announce_all_reduce_sum(std::span<const std::span<float>> pieces, float scale) {
  std::uint64_t floats = 0;
  Signature signature;
  signature.add(std::bit_cast<std::uint32_t>(scale));
  for (const std::span<float> piece : pieces) {
    floats += piece.size();
    signature.add(piece.size());
  }
  return {Announcement::Call::all_reduce_sum, pieces.size(), floats, signature.value()};
}

Announcement announce_broadcast(std::size_t bytes, int root) {
  Signature signature;
  signature.add(static_cast<std::uint64_t>(root));
  return {Announcement::Call::broadcast, 0, bytes, signature.value()};
}

bool all_alike(std::span<const Announcement> by_rank) noexcept {
  return std::ranges::all_of(by_rank, [&](const Announcement& each) { return alike(by_rank[0], each); });
}

std::string difference(std::span<const Announcement> by_rank) {
  const auto other = std::ranges::find_if_not(by_rank, [&](const Announcement& a) { return alike(by_rank[0], a); });
  SPILLWAY_CHECK(other != by_rank.end(), "all ranks announced the same");
  const std::string expected = text_of(by_rank[0]), found = text_of(*other);
  // Two that read the same differ in what their signatures are made of.
  const std::string what =
      other->call == Announcement::Call::broadcast ? " from another root" : " of other sizes or scale";
  return fmt::format("rank {}: found {}{}, expected {} as on rank 0; give all ranks the same files and flags",
                     other - by_rank.begin(), found, expected == found ? what : "", expected);
}

}  // namespace spillway
