#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace spillway {

/// What a rank says that it is about to do, before a collective call does it. Plain, so that it travels as bytes.
struct Announcement {
  enum class Call : std::uint64_t { all_reduce_sum, broadcast, all_gather, barrier, duplicate };

  Call call = Call::barrier;
  std::uint64_t pieces = 0;     ///< of all_reduce_sum
  std::uint64_t size = 0;       ///< floats of all_reduce_sum, bytes of broadcast and all_gather
  std::uint64_t signature = 0;  ///< of what else must be alike: each piece's size, the scale, the root
};

[[nodiscard]] Announcement announce_all_reduce_sum(std::span<const std::span<float>> pieces, float scale);
[[nodiscard]] Announcement announce_broadcast(std::size_t bytes, int root);

/// Whether all ranks do the same. Only the sizes of all_gather may differ. Same answer on every rank.
[[nodiscard]] bool all_alike(std::span<const Announcement> by_rank) noexcept;
/// The first difference from rank 0, in one line for the user. Same text on every rank. Requires: not all are alike.
[[nodiscard]] std::string difference(std::span<const Announcement> by_rank);

}  // namespace spillway
