#pragma once

#include "device/cuda/kernel_source.h"
#include "device/cuda/launch_table.h"

namespace spillway {

/// Spillway's own kernels: one for each op that can be executed, in both layouts, deterministic, and the same bits
/// wherever the operands lie. An op's outputs may share bytes with inputs where core/attributes.h says "in place". They
/// hold no state, so a kernel may run on several streams at once.
class ElementKernels : public KernelSource {
 public:
  /// `launches` must outlive this and all it gives.
  explicit ElementKernels(const LaunchTable& launches) : launches_(launches) {}
  [[nodiscard]] std::vector<CudaKernel> kernels(const OpDescription& op) override;

 private:
  const LaunchTable& launches_;
};

}  // namespace spillway
