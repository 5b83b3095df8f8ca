#include "tests/device/cuda/fake_cublaslt_algorithm.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace spillway {
namespace {

constexpr std::uint64_t kAccumulator = CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_32F;
constexpr std::uint64_t kFp32 =
    CUBLASLT_NUMERICAL_IMPL_FLAGS_FMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_32F | kAccumulator;
constexpr std::uint64_t kTf32 =
    CUBLASLT_NUMERICAL_IMPL_FLAGS_HMMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_TF32 | kAccumulator;

/// FP32 put together of products of BF16. Nothing says that CUBLAS_COMPUTE_32F keeps such algorithms out.
constexpr std::uint64_t kEmulated =
    CUBLASLT_NUMERICAL_IMPL_FLAGS_HMMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_16BF | kAccumulator;

/// What an algorithm can do.
struct Known {
  std::uint32_t number;
  std::uint32_t alignment = 4;
  std::uint32_t reductions = 0;  ///< 0: doesn't cut the terms into parts
  std::vector<std::uint32_t> tiles, stages;
  std::uint32_t most_swizzle = 0, most_custom = 0, most_cluster = 0;
  std::uint64_t implementation = kFp32;
  std::uint32_t bias_alignment = 4;
  bool only_with_bias = false;
};

const std::vector<Known>& all_known() {
  static const std::vector<Known> known{
      {.number = 0, .tiles = {4}, .stages = {0}},
      {.number = 20,
       .reductions = CUBLASLT_REDUCTION_SCHEME_MASK,
       .tiles = {15, 20},
       .stages = {8, 10},
       .most_swizzle = 1,
       .most_custom = 3},
      {.number = 24, .alignment = 16, .tiles = {20}, .stages = {8}, .most_swizzle = 1},
      {.number = 25, .tiles = {20}, .stages = {8}, .bias_alignment = 16, .only_with_bias = true},
      {.number = 66, .tiles = {20, 23}, .stages = {24}, .most_cluster = 4, .implementation = kTf32},
      {.number = 70, .tiles = {20}, .stages = {24}, .implementation = kEmulated},
  };
  return known;
}

const Known* find(std::uint32_t number) {
  const auto found = std::ranges::find(all_known(), number, &Known::number);
  return found == all_known().end() ? nullptr : &*found;
}

bool has(const std::vector<std::uint32_t>& all, std::uint32_t one) {
  return std::ranges::find(all, one) != all.end();
}

bool is_layout(const FakeLtLayout& layout) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int32_t>::max();
  return layout.type == CUDA_R_32F && layout.rows > 0 && layout.columns > 0 && layout.rows <= kMost &&
         layout.columns <= kMost && layout.leading >= static_cast<std::int64_t>(layout.rows);
}

bool fits(const FakeLtProblem& problem) {
  const FakeLtOperation& operation = problem.operation;
  if (operation.scale != CUDA_R_32F) return false;
  if (operation.epilogue != CUBLASLT_EPILOGUE_DEFAULT && operation.epilogue != CUBLASLT_EPILOGUE_BIAS) return false;
  for (const FakeLtLayout* layout : {&problem.a, &problem.b, &problem.c, &problem.d}) {
    if (!is_layout(*layout)) return false;
  }
  const bool as_it_lies_a = operation.turn_a == CUBLAS_OP_N, as_it_lies_b = operation.turn_b == CUBLAS_OP_N;
  const std::uint64_t rows = as_it_lies_a ? problem.a.rows : problem.a.columns;
  const std::uint64_t other_terms = as_it_lies_b ? problem.b.rows : problem.b.columns;
  const std::uint64_t columns = as_it_lies_b ? problem.b.columns : problem.b.rows;
  return problem.terms() == other_terms && problem.d.rows == rows && problem.d.columns == columns &&
         problem.c.rows == rows && problem.c.columns == columns;
}

bool has_kernel(const Known& known, const FakeLtAlgorithm& algorithm) {
  const std::uint32_t splits = algorithm.at(CUBLASLT_ALGO_CONFIG_SPLITK_NUM),
                      reduction = algorithm.at(CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME);
  const bool whole = splits == 1 && reduction == CUBLASLT_REDUCTION_SCHEME_NONE;
  const bool in_parts = splits > 1 && std::has_single_bit(reduction) && (reduction & ~known.reductions) == 0;
  return (whole || in_parts) && has(known.tiles, algorithm.at(CUBLASLT_ALGO_CONFIG_TILE_ID)) &&
         has(known.stages, algorithm.at(CUBLASLT_ALGO_CONFIG_STAGES_ID)) &&
         algorithm.at(CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING) <= known.most_swizzle &&
         algorithm.at(CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION) <= known.most_custom &&
         algorithm.at(CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID) == 0 &&
         algorithm.at(CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID) <= known.most_cluster;
}

/// tile, stages, splits, reduction, swizzle, custom, cluster
struct Candidate {
  int number;
  std::uint32_t tile, stages, splits = 1, reduction = 0, swizzle = 0, custom = 0, cluster = 0;
};
constexpr Candidate kCandidates[] = {
    {.number = 66, .tile = 20, .stages = 24, .cluster = 2},
    {.number = 70, .tile = 20, .stages = 24},
    {.number = 20, .tile = 20, .stages = 8, .splits = 3, .reduction = CUBLASLT_REDUCTION_SCHEME_INPLACE},
    {.number = 20, .tile = 20, .stages = 8, .splits = 1U << 24, .reduction = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE},
    {.number = 20,
     .tile = 20,
     .stages = 10,
     .splits = 3,
     .reduction = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE,
     .swizzle = 1},
    {.number = 20, .tile = 15, .stages = 8, .custom = 2},
    {.number = 20, .tile = 15, .stages = 8, .custom = 2},  // cuBLASLt may name one twice: nothing forbids it
    {.number = 0, .tile = 4, .stages = 0},
    {.number = 24, .tile = 20, .stages = 8, .swizzle = 1},
    {.number = 25, .tile = 20, .stages = 8},
};

}  // namespace

FakeLtAlgorithm unpacked(const cublasLtMatmulAlgo_t& algorithm) {
  return std::bit_cast<FakeLtAlgorithm>(algorithm);
}
cublasLtMatmulAlgo_t packed(const FakeLtAlgorithm& algorithm) {
  return std::bit_cast<cublasLtMatmulAlgo_t>(algorithm);
}

cublasStatus_t fake_lt_init(int number, cublasComputeType_t compute, FakeLtAlgorithm& algorithm) {
  const Known* const known = number < 0 ? nullptr : find(static_cast<std::uint32_t>(number));
  if (known == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
  if (compute != CUBLAS_COMPUTE_32F && compute != CUBLAS_COMPUTE_32F_FAST_TF32) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (known->implementation == kTf32 && compute != CUBLAS_COMPUTE_32F_FAST_TF32) return CUBLAS_STATUS_NOT_SUPPORTED;
  algorithm = {
      .mark = FakeLtAlgorithm::kMark, .compute = static_cast<std::uint32_t>(compute), .config = {}, .unused = {}};
  algorithm.config[CUBLASLT_ALGO_CONFIG_ID] = known->number;
  algorithm.config[CUBLASLT_ALGO_CONFIG_SPLITK_NUM] = 1;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t fake_lt_check(const FakeLtProblem& problem, const FakeLtAlgorithm& algorithm, std::size_t& workspace) {
  const Known* const known = find(algorithm.at(CUBLASLT_ALGO_CONFIG_ID));
  if (algorithm.mark != FakeLtAlgorithm::kMark || known == nullptr || !fits(problem) ||
      algorithm.compute != static_cast<std::uint32_t>(problem.operation.compute)) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  if (!has_kernel(*known, algorithm)) return CUBLAS_STATUS_NOT_SUPPORTED;
  const bool adds_bias = problem.operation.epilogue == CUBLASLT_EPILOGUE_BIAS;
  if (known->only_with_bias && !adds_bias) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (adds_bias && reinterpret_cast<std::uintptr_t>(problem.operation.bias) % known->bias_alignment != 0) {
    return CUBLAS_STATUS_NOT_SUPPORTED;
  }
  const std::size_t size = problem.d.rows * problem.d.columns * sizeof(float);
  switch (algorithm.at(CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME)) {
    case CUBLASLT_REDUCTION_SCHEME_NONE: workspace = 0; break;
    case CUBLASLT_REDUCTION_SCHEME_INPLACE: workspace = 256; break;  // counters
    default: workspace = size * algorithm.at(CUBLASLT_ALGO_CONFIG_SPLITK_NUM);
  }
  return CUBLAS_STATUS_SUCCESS;
}

std::uint32_t fake_lt_alignment(const FakeLtAlgorithm& algorithm) {
  return find(algorithm.at(CUBLASLT_ALGO_CONFIG_ID))->alignment;
}

std::vector<cublasLtMatmulHeuristicResult_t> fake_lt_heuristic(const FakeLtProblem& problem,
                                                               const FakeLtPreference& preference) {
  std::vector<cublasLtMatmulHeuristicResult_t> answers;
  for (const Candidate& candidate : kCandidates) {
    FakeLtAlgorithm algorithm;
    if (fake_lt_init(candidate.number, problem.operation.compute, algorithm) != CUBLAS_STATUS_SUCCESS) continue;
    algorithm.config = {algorithm.config[0], candidate.tile,   candidate.splits, candidate.reduction,
                        candidate.swizzle,   candidate.custom, candidate.stages, 0,
                        candidate.cluster};
    cublasLtMatmulHeuristicResult_t answer{};
    answer.algo = packed(algorithm);
    if (fake_lt_check(problem, algorithm, answer.workspaceSize) != CUBLAS_STATUS_SUCCESS) continue;
    const Known& known = *find(algorithm.at(CUBLASLT_ALGO_CONFIG_ID));
    if (answer.workspaceSize > preference.workspace || (candidate.reduction & ~preference.reductions) != 0 ||
        (known.implementation & ~preference.implementations) != 0 ||
        std::ranges::any_of(preference.alignments, [&](auto bytes) { return bytes < known.alignment; })) {
      continue;
    }
    answers.push_back(answer);
  }
  // Documented: where an answer's state isn't success, nothing else of it means anything.
  cublasLtMatmulHeuristicResult_t refused{};
  FakeLtAlgorithm other_tile;
  if (fake_lt_init(20, problem.operation.compute, other_tile) == CUBLAS_STATUS_SUCCESS) {
    other_tile.config[CUBLASLT_ALGO_CONFIG_TILE_ID] = 20;
    other_tile.config[CUBLASLT_ALGO_CONFIG_STAGES_ID] = 8;
    refused.algo = packed(other_tile);
  }
  refused.state = CUBLAS_STATUS_NOT_SUPPORTED;
  answers.insert(answers.begin() + (answers.empty() ? 0 : 1), refused);
  return answers;
}

}  // namespace spillway
