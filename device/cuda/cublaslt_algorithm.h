#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "device/cuda/cublaslt_machine.h"

namespace spillway {

/// One of the attributes that fix an algorithm, beside its number.
struct CublasLtSetting {
  std::string_view name;
  cublasLtMatmulAlgoConfigAttributes_t attribute;
  std::size_t size;  ///< bytes of its value, an integer
};

/// All of them, in the order of ids.
inline constexpr std::array<CublasLtSetting, 8> kCublasLtSettings{{
    {"tile", CUBLASLT_ALGO_CONFIG_TILE_ID, 4},
    {"stages", CUBLASLT_ALGO_CONFIG_STAGES_ID, 4},
    {"splits", CUBLASLT_ALGO_CONFIG_SPLITK_NUM, 4},
    {"reduction", CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, 4},
    {"swizzle", CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, 4},
    {"custom", CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, 4},
    {"inner", CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, 2},
    {"cluster", CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, 2},
}};

/// What fixes a kernel of cuBLASLt for a given product on a given machine.
struct CublasLtAlgorithm {
  std::string product;  ///< what it computes: "linear", "linear_backward_data", ...
  bool tf32 = false;    ///< inputs may be rounded to TF32
  std::int32_t number = 0;
  std::array<std::uint32_t, kCublasLtSettings.size()> settings{};  ///< as kCublasLtSettings
  friend bool operator==(const CublasLtAlgorithm&, const CublasLtAlgorithm&) = default;
};

/// The sums over parts of the terms that give the same bits every time: none, or each part's in a place of its own in
/// the workspace and then added up in order. Those in place let the parts take turns at the output.
inline constexpr std::uint32_t kCublasLtReductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;

/// FP32, or TF32 where that is allowed.
[[nodiscard]] constexpr cublasComputeType_t compute_type(bool tf32) {
  return tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

/// "cublaslt 13.1.0|sm_90x132|linear algorithm 20 tile=15,stages=8,splits=1,reduction=0,swizzle=0,custom=0,inner=0,
/// cluster=0|fp32", on one line.
[[nodiscard]] std::string kernel_id(const CublasLtMachine& machine, const CublasLtAlgorithm& algorithm);
/// The algorithm of a kernel id. Throws Error (exit 3) of one line when the id isn't one of cuBLASLt's, or is for
/// another version or another GPU than `machine`, or its sums aren't of kCublasLtReductions.
[[nodiscard]] CublasLtAlgorithm algorithm_of(const CublasLtMachine& machine, const std::string& id);

/// Reads an algorithm that a heuristic gave. `product` and `tf32` are what it was asked for.
[[nodiscard]] CublasLtAlgorithm read_algorithm(const cublasLtMatmulAlgo_t& algorithm, const std::string& product,
                                               bool tf32);
/// The same algorithm again, or why cuBLASLt doesn't take its number or a setting. `what` is what errors name. Throws
/// like check_cublaslt.
[[nodiscard]] std::variant<cublasLtMatmulAlgo_t, CublasLtRefusal> make_algorithm(const CublasLtMachine& machine,
                                                                                 const CublasLtAlgorithm& algorithm,
                                                                                 std::string_view what);

}  // namespace spillway
