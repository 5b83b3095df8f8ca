#pragma once

#include <memory>
#include <vector>

#include "device/cuda/cuda_device.h"
#include "device/cuda/element_kernels.h"
#include "tests/device/cuda/fake_cuda.h"
#include "tests/device/cuda/streamed_launches.h"

namespace spillway {

/// The CUDA device on the fake runtime, with our own kernels on threads of the host. Of the libraries that watch a GPU
/// it loads none but those given, and so never the machine's.
[[nodiscard]] inline std::unique_ptr<Device> fake_gpu(const ToolLibraries& tools = {.nvml = "", .cupti = ""}) {
  std::vector<std::unique_ptr<KernelSource>> sources;
  sources.push_back(std::make_unique<ElementKernels>(streamed_launches()));
  return make_cuda_device(0, std::move(sources), tools);
}

}  // namespace spillway
