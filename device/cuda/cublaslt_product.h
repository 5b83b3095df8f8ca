#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/units.h"
#include "device/cuda/cublaslt_algorithm.h"
#include "device/cuda/kernel_source.h"
#include "device/cuda/matrix_product.h"

namespace spillway {

/// An algorithm that cuBLASLt takes for one product.
struct CublasLtPlan {
  cublasLtMatmulAlgo_t algorithm;
  Bytes workspace;  ///< exactly, beside the operands
};

/// One way to compute a product.
struct CublasLtChoice {
  std::string id;  ///< of the kernel: see kernel_id
  Bytes workspace;
};

/// The most workspace that algorithms may ask for: what cuBLAS's documentation (cublasSetWorkspace) recommends for
/// Hopper, the most it recommends for any GPU. It counts towards the step's memory, so more must not be had for little.
constexpr Bytes kMostCublasLtWorkspace{std::int64_t{32} << 20};

/// One product with all that cuBLASLt wants described, on one machine. Nothing of it is made during a launch.
class CublasLtProduct {
 public:
  /// Requires: `machine` outlives this.
  CublasLtProduct(const CublasLtMachine& machine, MatrixProduct product, bool tf32);

  /// The heuristic's answers, the best first, each once, less those that can't be made again from their ids: FP32
  /// units only unless tf32, sums as kCublasLtReductions has them, workspace up to kMostCublasLtWorkspace, and
  /// addresses aligned to no more than the op's description says.
  [[nodiscard]] std::vector<CublasLtChoice> choices() const;
  /// The plan of a kernel id, without asking the heuristic. Throws Error (exit 3) of one line when it is for another
  /// kind of op, or cuBLASLt doesn't take its algorithm for this product.
  [[nodiscard]] CublasLtPlan plan(const std::string& id) const;
  /// Enqueues the product. `id` is what errors name. One thread at a time.
  void launch(const CublasLtPlan& plan, cudaStream_t stream, const OpPointers& operands, const std::string& id);

 private:
  [[nodiscard]] std::variant<CublasLtPlan, CublasLtRefusal> try_plan(const CublasLtAlgorithm& algorithm,
                                                                     const std::string& what) const;
  [[nodiscard]] std::vector<cublasLtMatmulHeuristicResult_t> heuristic_answers() const;

  const CublasLtMachine& machine_;
  MatrixProduct product_;
  bool tf32_;
  CublasLtOperation operation_;
  CublasLtLayout a_, b_, d_;
};

}  // namespace spillway
