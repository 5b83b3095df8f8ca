#include "device/cuda/cublaslt_machine.h"

#include <cuda_runtime_api.h>

#include <cstddef>

#include <fmt/format.h>

#include "device/cuda/cuda_call.h"

namespace spillway {
namespace {

int attribute_of(int gpu, cudaDeviceAttr attribute) {
  int value = 0;
  must(cudaDeviceGetAttribute(&value, attribute, gpu), "cudaDeviceGetAttribute",
       fmt::format("attribute {} of GPU {}", static_cast<int>(attribute), gpu));
  return value;
}

}  // namespace

CublasLtMachine::CublasLtMachine() : handle_(make_cublaslt_handle()) {
  int gpu = 0;
  must(cudaGetDevice(&gpu), "cudaGetDevice", "cuBLASLt");
  name_ = fmt::format(
      "cublaslt {}|sm_{}{}x{}", cublaslt_version(), attribute_of(gpu, cudaDevAttrComputeCapabilityMajor),
      attribute_of(gpu, cudaDevAttrComputeCapabilityMinor), attribute_of(gpu, cudaDevAttrMultiProcessorCount));
}

std::string cublaslt_version() {
  const std::size_t version = cublasLtGetVersion();  // 13.1.0 is 130100, as in CUBLAS_VERSION
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace spillway
