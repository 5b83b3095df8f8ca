#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/op_description.h"
#include "core/units.h"

namespace spillway {

/// Where the operands of one op lie on the GPU, in operand order. Outputs may be inputs, as the description says.
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
};

/// Where a CUDA device's kernels come from: our own, cuDNN, cuBLASLt.
class KernelSource {
 public:
  virtual ~KernelSource() = default;
  /// The kernels for this op, the best first; empty where the source has none. Same answer on every call.
  [[nodiscard]] virtual std::vector<CudaKernel> kernels(const OpDescription& op) = 0;
};

}  // namespace spillway
