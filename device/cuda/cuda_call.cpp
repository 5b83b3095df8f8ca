#include "device/cuda/cuda_call.h"

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {

void must(cudaError_t result, const char* call, const std::string& what) {
  if (result == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());
  throw machine_error(
      fmt::format("CUDA: {} for {} failed: {} ({})", call, what, cudaGetErrorName(result), cudaGetErrorString(result)));
}

void ignore(cudaError_t result) {
  if (result != cudaSuccess) static_cast<void>(cudaGetLastError());
}

}  // namespace spillway
