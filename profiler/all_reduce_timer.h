#pragma once

#include <functional>

#include "comm/communicator.h"
#include "core/trace.h"
#include "device/device.h"

namespace spillway {

/// Seconds of all-reduces of 4 KiB, 16 KiB, ... up to `largest` in the arenas of these ranks' devices, run as training
/// runs them: by the devices themselves where they can join, else by the communicator, through the host pool if need be
/// (the device's facts say which). For each size the median over 7 of the slowest rank's time. Collective; the same
/// curve on every rank. `progress` is told the size beforehand and may be empty.
///
/// Uses the device's arena, host pool and new streams; nobody else may use it meanwhile. Requires: no two ranks have
/// the same hardware (require_own_units). Throws Error (exit 3) when the device fails.
[[nodiscard]] AllReduceCurve time_all_reduces(Device& device, Communicator& ranks,
                                              const std::function<void(Bytes)>& progress, Bytes largest = 64_MiB);

}  // namespace spillway
