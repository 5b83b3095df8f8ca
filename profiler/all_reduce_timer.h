#pragma once

#include <functional>

#include "comm/communicator.h"
#include "core/trace.h"

namespace spillway {

/// Seconds of all-reduces of 4 KiB, 16 KiB, ... 64 MiB among these ranks: for each size the median over 7 of the
/// slowest rank's time. Collective; the same curve on every rank. `progress` is told the size beforehand and may be
/// empty.
[[nodiscard]] AllReduceCurve time_all_reduces(Communicator& ranks, const std::function<void(Bytes)>& progress);

}  // namespace spillway
