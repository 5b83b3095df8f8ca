#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/op_description.h"
#include "device/device.h"

namespace spillway {

/// A prepared CPU kernel. `run` neither allocates nor blocks, and may be called from any one thread at a time.
class CpuKernel {
 public:
  virtual ~CpuKernel() = default;
  /// One address per operand, in operand order; `workspace` has the bytes that the kernel's option names.
  virtual void run(std::span<std::byte* const> inputs, std::span<std::byte* const> outputs, std::byte* workspace) = 0;
};

/// The kernels that can run `op` on `threads` threads, the best first; empty: none. Ids carry library version,
/// instruction set and thread count, since these fix the bits.
[[nodiscard]] std::vector<KernelOption> cpu_kernels(const OpDescription& op, int threads);
/// Requires: `id` is among cpu_kernels(op, threads); the caller checks.
[[nodiscard]] std::unique_ptr<CpuKernel> make_cpu_kernel(const OpDescription& op, const std::string& id, int threads);

/// "oneDNN 2.6.3".
[[nodiscard]] std::string cpu_library();
/// The instruction set that the kernels use here: "avx512_core".
[[nodiscard]] std::string cpu_instruction_set();

}  // namespace spillway
