#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "device/cuda/elements.h"

namespace spillway {

/// Launches of our own kernels, one entry for each functor of elements.h (SPILLWAY_ELEMENTS). Plain element functors
/// run once for each index below `count`, in any order; row functors once for each row, a row's sums in a fixed order.
/// Filled with kernels on a GPU (launch.cu), with loops on the host where there is none (tests).
struct LaunchTable {
#define SPILLWAY_ENTRY(Functor) \
  void (*launch_##Functor)(cudaStream_t stream, std::int64_t count, const Functor& functor);
  SPILLWAY_ELEMENTS(SPILLWAY_ENTRY)
#undef SPILLWAY_ENTRY
};

/// The GPU's. Defined in launch.cu.
[[nodiscard]] const LaunchTable& gpu_launches();

}  // namespace spillway
