#pragma once

#include "device/cuda/launch_table.h"

namespace spillway {

/// Runs the functors in a loop on the host, at once, on the thread that launches; the stream is ignored.
[[nodiscard]] const LaunchTable& immediate_launches();
/// The same with the last index first. Results must have the same bits.
[[nodiscard]] const LaunchTable& reversed_launches();

}  // namespace spillway
