#pragma once

#include "device/cuda/launch_table.h"

namespace spillway {

/// Launches on the fake CUDA runtime: a copy of the functor runs in a loop on the host when its turn comes in its
/// stream, or in the graph that it is captured into. A node's name is the functor's.
[[nodiscard]] const LaunchTable& streamed_launches();

}  // namespace spillway
