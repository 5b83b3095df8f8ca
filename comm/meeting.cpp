#include "comm/meeting.h"

#include <fmt/format.h>

#include <map>

namespace spillway {

RankMeeting meeting_of(Communicator& ranks) {
  return {.rank = ranks.rank(),
          .ranks = ranks.size(),
          .broadcast = [&ranks](std::span<std::byte> bytes) { ranks.broadcast(bytes, 0); },
          .all_gather = [&ranks](const std::string& text) { return ranks.all_gather(text); }};
}

void require_own_units(Communicator& ranks, const std::string& unit, const std::string& device) {
  const std::vector<std::string> units = ranks.all_gather(unit), devices = ranks.all_gather(device);
  std::map<std::string, std::size_t> owners;
  for (std::size_t rank = 0; rank < units.size(); ++rank) {
    if (units[rank].empty()) continue;
    const auto [owner, is_own] = owners.emplace(units[rank], rank);
    if (is_own) continue;
    throw AgreedError(fmt::format(
        "ranks {} and {} both run on {} ({}), expected a GPU of its own for each rank; give '--device cuda' without a "
        "number, by which each rank takes its node's next GPU, and start no more ranks on a node than it has GPUs",
        owner->second, rank, devices[rank], units[rank]));
  }
}

}  // namespace spillway
