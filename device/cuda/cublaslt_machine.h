#pragma once

#include <string>

#include "device/cuda/cublaslt_descriptor.h"

namespace spillway {

/// The GPU that algorithms are listed and pinned for: the one that is current when this is made.
class CublasLtMachine {
 public:
  /// Throws Error (exit 3) when there is no driver or no GPU.
  CublasLtMachine();

  [[nodiscard]] cublasLtHandle_t handle() const { return handle_.get(); }
  /// Library, compute capability and number of multiprocessors, the first two parts of every kernel id:
  /// "cublaslt 13.1.0|sm_90x132". What they don't tell apart has the same algorithms.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  CublasLtHandle handle_;
  std::string name_;
};

/// "13.1.0", of the library that was loaded.
[[nodiscard]] std::string cublaslt_version();

}  // namespace spillway
