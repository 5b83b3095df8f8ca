#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/op_description.h"
#include "device/cuda/kernel_source.h"
#include "device/cuda/launch_table.h"

namespace spillway {

/// Convolutions by cuDNN on the GPU that is current when this is made. Must outlive the launches that its kernels give;
/// one thread uses it and them at a time.
///
/// A gradient of the weights that has a bias too is cuDNN's plan and then our own sums over dy, in one workspace: " + "
/// stands between them in the id. Operands and workspace lie at multiples of 16 and 256 bytes.
class CudnnKernels final : public KernelSource {
 public:
  /// `tf32` also lists engines that use tensor cores. `launches` must outlive this. Throws Error (exit 3) when there is
  /// no GPU or no driver.
  explicit CudnnKernels(const LaunchTable& launches, bool tf32 = false);
  ~CudnnKernels() override;

  [[nodiscard]] bool lists_tf32() const override;

  /// Throws Error (exit 2) naming the operand when one has 2^31 elements or more.
  [[nodiscard]] std::vector<CudaKernel> kernels(const OpDescription& op) override;
  /// Without asking which there are. Throws Error (exit 3) also when the id is for another op.
  [[nodiscard]] std::optional<CudaKernel> kernel(const OpDescription& op, const std::string& id) override;
  /// This GPU for tests without one: cuDNN's device properties JSON.
  [[nodiscard]] const std::string& device_properties() const;

 private:
  class Library;
  std::unique_ptr<Library> library_;
};

}  // namespace spillway
