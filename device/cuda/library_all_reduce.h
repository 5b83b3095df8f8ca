#pragma once

#include <memory>

#include "device/cuda/gpu_all_reduce.h"

namespace spillway {

/// What this build has for all-reduces between GPUs: NCCL, loaded when ranks join; null: nothing.
[[nodiscard]] std::unique_ptr<GpuAllReduce> library_all_reduce();

}  // namespace spillway
