#pragma once

#include <memory>
#include <string>

#include "device/cuda/gpu_all_reduce.h"

namespace spillway {

/// What this build has for all-reduces between GPUs: NCCL, loaded when ranks join; null: nothing.
[[nodiscard]] std::unique_ptr<GpuAllReduce> library_all_reduce();

/// The version of the library that they would use, which is loaded for it; empty, with the reason in `why`: none.
[[nodiscard]] std::string all_reduce_library_version(std::string& why);

}  // namespace spillway
