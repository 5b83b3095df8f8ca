#include "device/cuda/cublaslt_product.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {
namespace {

/// How many answers the heuristic is asked for: the first is the one that is used unless someone chooses.
constexpr int kMostAnswers = 8;

std::uint64_t allowed_implementations(bool tf32) {
  const std::uint64_t fp32 = CUBLASLT_NUMERICAL_IMPL_FLAGS_FMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_ACCUMULATOR_32F |
                             CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_32F;
  return tf32 ? fp32 | CUBLASLT_NUMERICAL_IMPL_FLAGS_HMMA | CUBLASLT_NUMERICAL_IMPL_FLAGS_INPUT_TF32 : fp32;
}

CublasLtLayout layout_of(const ColumnMajorMatrix& matrix, const std::string& product) {
  return make_layout(matrix.rows, matrix.columns, fmt::format("{} x {} of {}", matrix.rows, matrix.columns, product));
}

const void* address(const ColumnMajorMatrix& matrix, const OpPointers& operands) {
  return matrix.is_output ? operands.outputs[matrix.index] : operands.inputs[matrix.index];
}

}  // namespace

CublasLtProduct::CublasLtProduct(const CublasLtMachine& machine, MatrixProduct product, bool tf32)
    : machine_(machine),
      product_(std::move(product)),
      tf32_(tf32),
      operation_(make_operation(compute_type(tf32), product_.name)),
      a_(layout_of(product_.a, product_.name)),
      b_(layout_of(product_.b, product_.name)),
      d_(layout_of(product_.d, product_.name)) {
  const auto turned = [](const ColumnMajorMatrix& matrix) { return matrix.transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSA, turned(product_.a), product_.name);
  set(operation_, CUBLASLT_MATMUL_DESC_TRANSB, turned(product_.b), product_.name);
  if (product_.bias) {
    set(operation_, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS, product_.name);
    // The preference has no alignment of the bias: cuBLASLt reads it off the address, which launches replace.
    const void* const least_aligned = reinterpret_cast<const void*>(std::uintptr_t(product_.bias_alignment.value));
    set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, least_aligned, product_.name);
  }
}

std::vector<CublasLtChoice> CublasLtProduct::choices() const {
  std::vector<CublasLtChoice> choices;
  for (const cublasLtMatmulHeuristicResult_t& answer : heuristic_answers()) {
    if (answer.state != CUBLAS_STATUS_SUCCESS) continue;
    const CublasLtAlgorithm algorithm = read_algorithm(answer.algo, product_.name, tf32_);
    const auto plan = try_plan(algorithm, product_.name);
    const auto* const found = std::get_if<CublasLtPlan>(&plan);
    if (found == nullptr) continue;
    std::string id = kernel_id(machine_, algorithm);
    const auto is_same = [&id](const CublasLtChoice& choice) { return choice.id == id; };
    if (std::none_of(choices.begin(), choices.end(), is_same)) choices.push_back({std::move(id), found->workspace});
  }
  return choices;
}

CublasLtPlan CublasLtProduct::plan(const std::string& id) const {
  const CublasLtAlgorithm algorithm = algorithm_of(machine_, id);
  if (algorithm.product != product_.name) {
    throw machine_error(fmt::format("kernel '{}': made for {}, this op is {}", id, algorithm.product, product_.name));
  }
  const auto plan = try_plan(algorithm, id);
  if (const auto* const refusal = std::get_if<CublasLtRefusal>(&plan)) {
    throw machine_error(
        fmt::format("kernel '{}': cuBLASLt doesn't take this algorithm for this op: {}: {}; record the trace again "
                    "with 'spillway profile'",
                    id, refusal->call, cublasLtGetStatusName(refusal->status)));
  }
  return std::get<CublasLtPlan>(plan);
}

void CublasLtProduct::launch(const CublasLtPlan& plan, cudaStream_t stream, const OpPointers& operands,
                             const std::string& id) {
  if (product_.bias) set(operation_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, operands.inputs[*product_.bias], id);
  const float alpha = 1, beta = 0;  // d isn't read
  void* const d = operands.outputs[product_.d.index];
  const cublasStatus_t status = cublasLtMatmul(
      machine_.handle(), operation_.get(), &alpha, address(product_.a, operands), a_.get(),
      address(product_.b, operands), b_.get(), &beta, d, d_.get(), d, d_.get(), &plan.algorithm,
      plan.workspace > Bytes{0} ? operands.workspace : nullptr, static_cast<std::size_t>(plan.workspace.value), stream);
  check_cublaslt(status, "cublasLtMatmul", id);
}

std::variant<CublasLtPlan, CublasLtRefusal> CublasLtProduct::try_plan(const CublasLtAlgorithm& algorithm,
                                                                      const std::string& what) const {
  const auto made = make_algorithm(machine_, algorithm, what);
  if (const auto* const refusal = std::get_if<CublasLtRefusal>(&made)) return *refusal;
  CublasLtPlan plan{std::get<cublasLtMatmulAlgo_t>(made), {}};
  cublasLtMatmulHeuristicResult_t checked{};
  const cublasStatus_t status = cublasLtMatmulAlgoCheck(machine_.handle(), operation_.get(), a_.get(), b_.get(),
                                                        d_.get(), d_.get(), &plan.algorithm, &checked);
  if (const auto refusal = refusal_of(status, "cublasLtMatmulAlgoCheck", what)) return *refusal;
  plan.workspace = {static_cast<std::int64_t>(checked.workspaceSize)};
  return plan;
}

std::vector<cublasLtMatmulHeuristicResult_t> CublasLtProduct::heuristic_answers() const {
  const CublasLtPreference preference = make_preference(product_.name);
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t(kMostCublasLtWorkspace.value), product_.name);
  set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, kCublasLtReductions, product_.name);
  set(preference, CUBLASLT_MATMUL_PREF_IMPL_MASK, allowed_implementations(tf32_), product_.name);
  for (const auto& [attribute, matrix] : {std::pair(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, &product_.a),
                                          std::pair(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, &product_.b),
                                          std::pair(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, &product_.d),
                                          std::pair(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, &product_.d)}) {
    set(preference, attribute, std::uint32_t(matrix->alignment.value), product_.name);
  }
  std::vector<cublasLtMatmulHeuristicResult_t> answers(kMostAnswers);
  int count = 0;
  const cublasStatus_t status =
      cublasLtMatmulAlgoGetHeuristic(machine_.handle(), operation_.get(), a_.get(), b_.get(), d_.get(), d_.get(),
                                     preference.get(), kMostAnswers, answers.data(), &count);
  if (status == CUBLAS_STATUS_NOT_SUPPORTED) return {};  // it has none
  check_cublaslt(status, "cublasLtMatmulAlgoGetHeuristic", product_.name);
  answers.resize(static_cast<std::size_t>(count));
  return answers;
}

}  // namespace spillway
