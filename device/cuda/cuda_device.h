#pragma once

#include <memory>
#include <vector>

#include "device/cuda/gpu_all_reduce.h"
#include "device/cuda/gpu_tools.h"
#include "device/cuda/kernel_source.h"
#include "device/device.h"

namespace spillway {

/// Makes GPU `number` the one that CUDA's calls of this thread mean. Throws Error (exit 3) when there is no such GPU or
/// no driver, saying what CUDA found.
void use_gpu(int number);

/// One NVIDIA GPU. Its arena is one cudaMalloc, its host pool pinned memory near the GPU, its streams are CUDA's, and
/// an event's value is what was recorded last: a wait is for a record that was enqueued before it. What a step enqueues
/// can be captured once and replayed as one CUDA graph.
///
/// `sources` give the kernels, the preferred source first; `all_reduce` adds up over the ranks, null: nothing does.
/// `tools` are what it tells clocks and kernels by. Throws like use_gpu.
[[nodiscard]] std::unique_ptr<Device> make_cuda_device(int gpu, std::vector<std::unique_ptr<KernelSource>> sources,
                                                       std::unique_ptr<GpuAllReduce> all_reduce = nullptr,
                                                       const ToolLibraries& tools = {});

}  // namespace spillway
