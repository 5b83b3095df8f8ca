#pragma once

#include <string>

#include "comm/communicator.h"
#include "core/rank_meeting.h"

namespace spillway {

/// The communicator's calls, for those who know no communicator. It must outlive the result.
[[nodiscard]] RankMeeting meeting_of(Communicator& ranks);

/// Collective: two ranks may not run on the same piece of hardware, named by `unit` (a GPU's UUID); `device` is what
/// this rank calls it. An empty unit may be shared. Throws AgreedError (exit 2), with the two ranks, on all ranks.
void require_own_units(Communicator& ranks, const std::string& unit, const std::string& device);

}  // namespace spillway
