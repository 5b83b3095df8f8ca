#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "device/device.h"

namespace spillway {

/// The GPU of this number, with all kernels that this build has; with `tf32` also those that round inputs to TF32 for
/// tensor cores. Throws Error (exit 3) where the build has no CUDA device, or the machine no such GPU or no driver, or
/// the GPU no TF32.
[[nodiscard]] std::unique_ptr<Device> make_gpu(int number, bool tf32 = false);

/// How many GPUs this process sees; 0 where the build has no CUDA device or the machine no driver.
[[nodiscard]] int gpu_count();

/// What `doctor` says of it, one line: `works: ...`, or what is missing and how to get it.
[[nodiscard]] std::string gpu_text();

/// NVIDIA's libraries for `doctor`: names, with their versions or what is missing and what then doesn't work. Those
/// that are loaded only when they are needed are loaded now. Empty where the build has no CUDA device.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> gpu_libraries();

}  // namespace spillway
