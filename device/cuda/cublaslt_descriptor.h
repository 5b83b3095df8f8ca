#pragma once

#include <cublasLt.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace spillway {

/// Throws Error (exit 3) of one line unless `status` is success: the call, what it was for, what cuBLASLt says.
void check_cublaslt(cublasStatus_t status, std::string_view call, std::string_view what);

/// A call's answer that something won't do here, which is no failure.
struct CublasLtRefusal {
  std::string_view call;
  cublasStatus_t status;
};
/// The refusal that a status is, nothing if it is success. Throws like check_cublaslt where it means that something
/// broke.
[[nodiscard]] std::optional<CublasLtRefusal> refusal_of(cublasStatus_t status, std::string_view call,
                                                        std::string_view what);

/// Gives back what cuBLASLt made; what that call finds doesn't matter any more.
template <auto destroy>
struct CublasLtDestroy {
  template <class Object>
  void operator()(Object* object) const {
    static_cast<void>(destroy(object));
  }
};
using CublasLtHandle = std::unique_ptr<cublasLtContext, CublasLtDestroy<&cublasLtDestroy>>;
using CublasLtLayout = std::unique_ptr<cublasLtMatrixLayoutOpaque_t, CublasLtDestroy<&cublasLtMatrixLayoutDestroy>>;
using CublasLtOperation = std::unique_ptr<cublasLtMatmulDescOpaque_t, CublasLtDestroy<&cublasLtMatmulDescDestroy>>;
using CublasLtPreference =
    std::unique_ptr<cublasLtMatmulPreferenceOpaque_t, CublasLtDestroy<&cublasLtMatmulPreferenceDestroy>>;

// All of these throw like check_cublaslt; `what` is what errors name.

/// cuBLASLt's state for the GPU that is current.
[[nodiscard]] CublasLtHandle make_cublaslt_handle();
/// float32, column-major without gaps.
[[nodiscard]] CublasLtLayout make_layout(std::int64_t rows, std::int64_t columns, std::string_view what);
/// d = a b of float32, alpha and beta being the host's.
[[nodiscard]] CublasLtOperation make_operation(cublasComputeType_t compute, std::string_view what);
[[nodiscard]] CublasLtPreference make_preference(std::string_view what);

/// Requires: T is the type that cublasLt.h gives for the attribute, of its size.
template <class T>
void set(const CublasLtOperation& operation, cublasLtMatmulDescAttributes_t name, const T& value,
         std::string_view what) {
  const cublasStatus_t status = cublasLtMatmulDescSetAttribute(operation.get(), name, &value, sizeof value);
  if (status == CUBLAS_STATUS_SUCCESS) return;  // launches come by here: no text unless it is needed
  check_cublaslt(status, "cublasLtMatmulDescSetAttribute",
                 "attribute " + std::to_string(name) + " of " + std::string(what));
}
template <class T>
void set(const CublasLtPreference& preference, cublasLtMatmulPreferenceAttributes_t name, const T& value,
         std::string_view what) {
  check_cublaslt(cublasLtMatmulPreferenceSetAttribute(preference.get(), name, &value, sizeof value),
                 "cublasLtMatmulPreferenceSetAttribute",
                 "attribute " + std::to_string(name) + " of " + std::string(what));
}

}  // namespace spillway
