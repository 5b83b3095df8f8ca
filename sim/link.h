#pragma once

#include "core/platform.h"

namespace spillway {

/// Rates of the two directions of a host link.
struct LinkShare {
  BytesPerSecond in, out;
};

/// What each direction gets: its own rate alone; with both busy, their shares of the cap by max-min fairness (neither
/// gets more than its own rate, what one can't use the other may).
[[nodiscard]] LinkShare share(const HostLink& link, bool in_busy, bool out_busy);

}  // namespace spillway
