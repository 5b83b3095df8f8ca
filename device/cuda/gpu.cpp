#include "device/gpu.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <vector>

#include "core/error.h"
#include "device/cuda/cublaslt_kernels.h"
#include "device/cuda/cublaslt_machine.h"
#include "device/cuda/cuda_call.h"
#include "device/cuda/cuda_device.h"
#include "device/cuda/cudnn_kernels.h"
#include "device/cuda/cudnn_machine.h"
#include "device/cuda/element_kernels.h"
#include "device/cuda/gpu_libraries.h"
#include "device/cuda/launch_table.h"
#include "device/cuda/library_all_reduce.h"

namespace spillway {

std::unique_ptr<Device> make_gpu(int number, bool tf32) {
  std::vector<std::unique_ptr<KernelSource>> sources;
  use_gpu(number);  // the libraries' handles are made for it
  sources.push_back(std::make_unique<CudnnKernels>(gpu_launches(), tf32));
  sources.push_back(std::make_unique<CublasLtKernels>(gpu_launches(), tf32));
  sources.push_back(std::make_unique<ElementKernels>(gpu_launches()));
  return make_cuda_device(number, std::move(sources), library_all_reduce());
}

int gpu_count() {
  int count = 0;  // isn't written when there is no driver
  ignore(cudaGetDeviceCount(&count));
  return count;
}

std::string gpu_text() {
  try {
    const std::unique_ptr<Device> gpu = make_gpu(0);
    const DeviceProperties& found = gpu->properties();
    return fmt::format("works: {}, {}, {}, {} free", found.name, found.library, found.instruction_set,
                       to_text(found.memory));
  } catch (const Error& error) {
    return error.what();
  }
}

std::vector<std::pair<std::string, std::string>> gpu_libraries() {
  // The program is linked with the first two, and wouldn't have started without them.
  std::vector<std::pair<std::string, std::string>> facts{{"cuDNN", cudnn_version()}, {"cuBLASLt", cublaslt_version()}};
  std::string why;
  const std::string nccl = all_reduce_library_version(why);
  facts.push_back(library_fact("NCCL", nccl, why, "all-reduces between GPUs go through host memory"));
  std::ranges::move(tool_facts(), std::back_inserter(facts));
  return facts;
}

}  // namespace spillway
