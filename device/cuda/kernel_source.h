#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/op_description.h"
#include "core/units.h"

namespace spillway {

/// Where the operands of one op lie on the GPU, in operand order. Outputs may be inputs, as the description says. All
/// addresses have the alignment that the op's description says.
struct OpPointers {
  std::span<const void* const> inputs;
  std::span<void* const> outputs;
  void* workspace = nullptr;
};

/// Puts a prepared kernel on a stream. Allocates nothing, synchronises nothing, decides nothing: it may be captured.
/// Throws Error (exit 3) when the launch is refused.
using Launch = std::function<void(cudaStream_t stream, const OpPointers& operands)>;

/// One way to run an op on the GPU.
struct CudaKernel {
  std::string id;   ///< fixes the bits
  Bytes workspace;  ///< beside the operands
  /// Makes ready what the kernel needs; called once, before anything is captured.
  std::function<Launch()> prepare;
  bool last_resort = false;  ///< as KernelOption's
};

/// Where a CUDA device's kernels come from: our own, cuDNN, cuBLASLt.
class KernelSource {
 public:
  virtual ~KernelSource() = default;
  /// Whether `kernels` also lists those that round inputs to TF32. `kernel` takes their ids whether or not.
  [[nodiscard]] virtual bool lists_tf32() const { return false; }
  /// The kernels for this op, the best first; empty where the source has none. Same answer on every call.
  [[nodiscard]] virtual std::vector<CudaKernel> kernels(const OpDescription& op) = 0;
  /// The kernel of this id; empty where the id is none of this source. Throws Error (exit 3) of one line when it is,
  /// but for another version or GPU.
  [[nodiscard]] virtual std::optional<CudaKernel> kernel(const OpDescription& op, const std::string& id) {
    for (CudaKernel& kernel : kernels(op)) {
      if (kernel.id == id) return std::move(kernel);
    }
    return std::nullopt;
  }
};

}  // namespace spillway
