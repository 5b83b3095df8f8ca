#pragma once

#include <memory>
#include <vector>

#include "device/cuda/cuda_device.h"
#include "device/cuda/element_kernels.h"
#include "tests/device/cuda/fake_cuda.h"
#include "tests/device/cuda/streamed_launches.h"

namespace spillway {

/// The CUDA device on the fake runtime's GPU of this number, with our own kernels on threads of the host.
[[nodiscard]] inline std::unique_ptr<Device> fake_gpu(int number = 0,
                                                      std::unique_ptr<GpuAllReduce> all_reduce = nullptr) {
  std::vector<std::unique_ptr<KernelSource>> sources;
  sources.push_back(std::make_unique<ElementKernels>(streamed_launches()));
  return make_cuda_device(number, std::move(sources), std::move(all_reduce));
}

}  // namespace spillway
