#include "device/cuda/cublaslt_descriptor.h"

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {

void check_cublaslt(cublasStatus_t status, std::string_view call, std::string_view what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw machine_error(fmt::format("cuBLASLt: {} for {}: {}: {}", call, what, cublasLtGetStatusName(status),
                                  cublasLtGetStatusString(status)));
}

std::optional<CublasLtRefusal> refusal_of(cublasStatus_t status, std::string_view call, std::string_view what) {
  if (status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE ||
      status == CUBLAS_STATUS_ARCH_MISMATCH) {
    return CublasLtRefusal{call, status};
  }
  check_cublaslt(status, call, what);
  return std::nullopt;
}

CublasLtHandle make_cublaslt_handle() {
  cublasLtHandle_t handle = nullptr;
  check_cublaslt(cublasLtCreate(&handle), "cublasLtCreate", "the current GPU");
  return CublasLtHandle(handle);
}

CublasLtLayout make_layout(std::int64_t rows, std::int64_t columns, std::string_view what) {
  cublasLtMatrixLayout_t layout = nullptr;
  check_cublaslt(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, static_cast<std::uint64_t>(rows),
                                            static_cast<std::uint64_t>(columns), rows),
                 "cublasLtMatrixLayoutCreate", what);
  return CublasLtLayout(layout);
}

CublasLtOperation make_operation(cublasComputeType_t compute, std::string_view what) {
  cublasLtMatmulDesc_t operation = nullptr;
  check_cublaslt(cublasLtMatmulDescCreate(&operation, compute, CUDA_R_32F), "cublasLtMatmulDescCreate", what);
  return CublasLtOperation(operation);
}

CublasLtPreference make_preference(std::string_view what) {
  cublasLtMatmulPreference_t preference = nullptr;
  check_cublaslt(cublasLtMatmulPreferenceCreate(&preference), "cublasLtMatmulPreferenceCreate", what);
  return CublasLtPreference(preference);
}

}  // namespace spillway
