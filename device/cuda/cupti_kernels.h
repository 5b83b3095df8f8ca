#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "device/device.h"

namespace spillway {

struct CuptiCalls;

/// The names by which CUPTI is looked for: that of this build's CUDA version, found as any library is (beside the
/// program, LD_LIBRARY_PATH, the system's folders). Empty: built without CUPTI's header.
[[nodiscard]] std::string cupti_library();

/// Watches kernels by CUPTI's activity records. Nothing is recorded but during `observe`.
///
/// CUPTI hands records to functions that don't know whom they are for, so at most one observation runs in a process.
class CuptiKernels {
 public:
  /// Large enough for thousands of kernels, as CUPTI's manual advises.
  static constexpr Bytes kBuffer = 1_MiB;

  /// `library`: name or path. `buffer`: what CUPTI gets at a time to write records into. Null, with the reason in
  /// `why`, where there is no such library, or one of another CUDA version, whose records look different.
  [[nodiscard]] static std::unique_ptr<CuptiKernels> open(const std::string& library, std::string& why,
                                                          Bytes buffer = kBuffer);
  ~CuptiKernels();
  CuptiKernels(const CuptiKernels&) = delete;
  CuptiKernels& operator=(const CuptiKernels&) = delete;

  /// "CUPTI 13.0.1".
  [[nodiscard]] const std::string& version() const { return version_; }

  /// Calls `run` and returns the kernels that ran meanwhile. Empty, with the reason in `why`, where CUPTI refuses.
  /// Requires: `run` returns when all that it enqueued has completed.
  [[nodiscard]] std::optional<ObservedKernels> observe(const std::function<void()>& run, std::string& why) const;

 private:
  CuptiKernels(std::unique_ptr<CuptiCalls> calls, std::string version, Bytes buffer);

  std::unique_ptr<CuptiCalls> calls_;
  std::string version_;
  Bytes buffer_;
};

}  // namespace spillway
