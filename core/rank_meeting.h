#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace spillway {

/// Ranks while something is made ready that they will use together: what a part that knows no Communicator needs of
/// one. Both calls are collective: every rank makes the same ones in the same order.
struct RankMeeting {
  int rank = 0, ranks = 1;
  std::function<void(std::span<std::byte>)> broadcast;                     ///< gives every rank rank 0's bytes
  std::function<std::vector<std::string>(const std::string&)> all_gather;  ///< every rank's text, by rank
};

}  // namespace spillway
