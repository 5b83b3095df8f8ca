#pragma once

#include <vector>

#include "core/schedule.h"

namespace spillway {

/// Bytes of the residencies at each position: whether the plan fits is decided by these. Addresses don't matter.
[[nodiscard]] std::vector<Bytes> live_bytes(const Schedule& schedule);

}  // namespace spillway
