#pragma once

#include <cublasLt.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

// What the fake cuBLASLt has for algorithms.

namespace spillway {

struct FakeLtLayout {
  std::uint64_t call;  ///< that made it
  cudaDataType type;
  std::uint64_t rows, columns;
  std::int64_t leading;
};

struct FakeLtOperation {
  std::uint64_t call;
  cublasComputeType_t compute;
  cudaDataType scale;
  std::int32_t turn_a = CUBLAS_OP_N, turn_b = CUBLAS_OP_N;
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};

struct FakeLtPreference {
  std::uint64_t call;
  std::uint64_t workspace = 0;
  std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
  std::uint64_t implementations = ~std::uint64_t{0};
  std::array<std::uint32_t, 4> alignments{256, 256, 256, 256};  ///< of a, b, c, d
};

/// What lies in a cublasLtMatmulAlgo_t.
struct FakeLtAlgorithm {
  std::uint32_t mark = 0;  ///< kMark where the fake wrote it
  std::uint32_t compute = 0;
  std::array<std::uint32_t, 9> config{};  ///< by cublasLtMatmulAlgoConfigAttributes_t
  std::array<std::uint32_t, 5> unused{};

  static constexpr std::uint32_t kMark = 0x4fac'e017;
  [[nodiscard]] std::uint32_t at(cublasLtMatmulAlgoConfigAttributes_t name) const { return config[name]; }
};
static_assert(sizeof(FakeLtAlgorithm) == sizeof(cublasLtMatmulAlgo_t));

[[nodiscard]] FakeLtAlgorithm unpacked(const cublasLtMatmulAlgo_t& algorithm);
[[nodiscard]] cublasLtMatmulAlgo_t packed(const FakeLtAlgorithm& algorithm);

/// A product's description, as calls get it.
struct FakeLtProblem {
  const FakeLtOperation& operation;
  const FakeLtLayout &a, &b, &c, &d;

  [[nodiscard]] std::uint64_t terms() const { return operation.turn_a == CUBLAS_OP_N ? a.columns : a.rows; }
};

/// The algorithm with the settings that it has before any is set.
[[nodiscard]] cublasStatus_t fake_lt_init(int number, cublasComputeType_t compute, FakeLtAlgorithm& algorithm);
/// Whether there is a kernel of these settings for the problem, and its workspace.
[[nodiscard]] cublasStatus_t fake_lt_check(const FakeLtProblem& problem, const FakeLtAlgorithm& algorithm,
                                           std::size_t& workspace);
/// Bytes to which an algorithm wants all addresses aligned. Requires: it is one that fake_lt_check took.
[[nodiscard]] std::uint32_t fake_lt_alignment(const FakeLtAlgorithm& algorithm);
/// What the heuristic would name for the problem, the best first; some that it has to leave out are among them.
[[nodiscard]] std::vector<cublasLtMatmulHeuristicResult_t> fake_lt_heuristic(const FakeLtProblem& problem,
                                                                             const FakeLtPreference& preference);

}  // namespace spillway
