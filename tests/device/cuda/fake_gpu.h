#pragma once

#include <memory>
#include <vector>

#include "device/cuda/cuda_device.h"
#include "device/cuda/element_kernels.h"
#include "tests/device/cuda/fake_cuda.h"
#include "tests/device/cuda/streamed_launches.h"

namespace spillway {

/// Of the libraries that watch a GPU the fake loads none but those given, and so never the machine's.
inline const ToolLibraries kNoTools{.nvml = "", .cupti = ""};

/// The CUDA device on the fake runtime, with our own kernels on threads of the host.
[[nodiscard]] inline std::unique_ptr<Device> fake_gpu(const ToolLibraries& tools = kNoTools, int number = 0,
                                                      std::unique_ptr<GpuAllReduce> all_reduce = nullptr) {
  std::vector<std::unique_ptr<KernelSource>> sources;
  sources.push_back(std::make_unique<ElementKernels>(streamed_launches()));
  return make_cuda_device(number, std::move(sources), std::move(all_reduce), tools);
}
/// The GPU of this number among several.
[[nodiscard]] inline std::unique_ptr<Device> fake_gpu(int number, std::unique_ptr<GpuAllReduce> all_reduce = nullptr) {
  return fake_gpu(kNoTools, number, std::move(all_reduce));
}

}  // namespace spillway
