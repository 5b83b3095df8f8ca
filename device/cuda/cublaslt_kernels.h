#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/op_description.h"
#include "device/cuda/kernel_source.h"
#include "device/cuda/launch_table.h"

namespace spillway {

/// Linear ops and their gradients by cuBLASLt on the GPU that is current when this is made. Must outlive the launches
/// that its kernels give; one thread uses it and them at a time.
///
/// A gradient of the weights that has a bias too is with_bias_gradient's (device/cuda/bias_gradient.h). Operands lie
/// at multiples of 4 bytes, the workspace at one of 256.
class CublasLtKernels final : public KernelSource {
 public:
  /// `tf32` also lists algorithms that round inputs to TF32, for tensor cores. `launches` must outlive this. Throws
  /// Error (exit 3) when there is no GPU or no driver.
  explicit CublasLtKernels(const LaunchTable& launches, bool tf32 = false);
  ~CublasLtKernels() override;

  [[nodiscard]] bool lists_tf32() const override;

  /// Throws Error (exit 2) naming the operand when one has 2^31 elements or more.
  [[nodiscard]] std::vector<CudaKernel> kernels(const OpDescription& op) override;
  /// Without asking which there are. Throws Error (exit 3) also when the id is for another op.
  [[nodiscard]] std::optional<CudaKernel> kernel(const OpDescription& op, const std::string& id) override;

 private:
  class Library;
  std::unique_ptr<Library> library_;
};

}  // namespace spillway
