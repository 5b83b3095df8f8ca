#include "tests/device/cuda/fake_cublaslt.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "tests/device/cuda/fake_calls.h"
#include "tests/device/cuda/fake_cublaslt_algorithm.h"
#include "tests/device/cuda/fake_cuda_runtime.h"

namespace spillway {
namespace {

struct FakeLtContext {
  std::uint64_t call;
};

struct FakeLtState {
  FakeCalls<cublasStatus_t> calls;
  std::size_t version = 130100;
  std::set<int> forgotten;
  std::uintptr_t handles = 0;  ///< given out so far
  FakeHandles<cublasLtHandle_t, FakeLtContext> contexts;
  FakeHandles<cublasLtMatrixLayout_t, FakeLtLayout> layouts;
  FakeHandles<cublasLtMatmulDesc_t, FakeLtOperation> operations;
  FakeHandles<cublasLtMatmulPreference_t, FakeLtPreference> preferences;

  /// Never an address that can be used.
  template <class Handle>
  [[nodiscard]] Handle new_handle() {
    return reinterpret_cast<Handle>(std::uintptr_t{0x4fac'b000'0000'0000} + 64 * ++handles);
  }
};

/// The C interface has no object to hold this.
std::unique_ptr<FakeLtState>& the_state() {
  static std::unique_ptr<FakeLtState> state = std::make_unique<FakeLtState>();
  return state;
}

/// Counts the call, and serves it unless a test wants it to fail.
template <class Body>
cublasStatus_t served(const char* name, Body&& body) {
  FakeLtState& state = *the_state();
  const cublasStatus_t wanted = state.calls.add(name);
  return wanted != CUBLAS_STATUS_SUCCESS ? wanted : body(state);
}

/// The same for what gives back, which it does in any case. Nothing, as in 13.1, is given back with success.
template <class Handle, class Object>
cublasStatus_t destroyed(const char* name, FakeHandles<Handle, Object> FakeLtState::*all, Handle handle) {
  FakeLtState& state = *the_state();
  const cublasStatus_t wanted = state.calls.add(name);
  const bool known = handle == nullptr || (state.*all).erase(handle);
  if (wanted != CUBLAS_STATUS_SUCCESS) return wanted;
  return known ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

template <class Value>
cublasStatus_t store(Value& value, const void* from, std::size_t size) {
  if (from == nullptr || size != sizeof value) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&value, from, size);
  return CUBLAS_STATUS_SUCCESS;
}

template <class Handle, class Object>
void list(const char* what, const FakeHandles<Handle, Object>& handles, std::vector<std::string>& leaks) {
  for (const auto& [handle, object] : handles.alive())
    leaks.push_back(fmt::format("{} made by call {}", what, object->call));
}

/// Bytes of a setting's value; 0: no such setting.
std::size_t size_of_setting(int name) {
  if (name < CUBLASLT_ALGO_CONFIG_ID || name > CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID) return 0;
  return name >= CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID ? 2 : 4;
}

/// What the handles of a call stand for; nothing where one is unknown or destroyed.
std::optional<FakeLtProblem> problem_of(const FakeLtState& state, cublasLtHandle_t handle,
                                        cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
                                        cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  if (state.contexts.find(handle) == nullptr || state.operations.find(operation) == nullptr) return std::nullopt;
  for (const cublasLtMatrixLayout_t layout : {a, b, c, d}) {
    if (state.layouts.find(layout) == nullptr) return std::nullopt;
  }
  return FakeLtProblem{*state.operations.find(operation), *state.layouts.find(a), *state.layouts.find(b),
                       *state.layouts.find(c), *state.layouts.find(d)};
}

/// One product, ready to be worked out when its turn comes. All by value: descriptors may be gone by then.
struct FakeLtWork {
  FakeLtOperation operation;
  FakeLtLayout a_layout, b_layout, c_layout, d_layout;
  const float *a, *b, *c;
  float* d;
  float alpha, beta;
  float* workspace;
  std::uint64_t terms, splits;
  bool in_workspace;  ///< the parts' sums
  bool tf32;

  static const float& element(const float* from, const FakeLtLayout& layout, bool turned, std::uint64_t row,
                              std::uint64_t column) {
    if (turned) std::swap(row, column);
    return from[row + column * static_cast<std::uint64_t>(layout.leading)];
  }
  /// TF32 has 10 bits of mantissa where FP32 has 23.
  [[nodiscard]] double input(float value) const {
    return static_cast<double>(tf32 ? std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xffff'e000U) : value);
  }
  [[nodiscard]] double sum(std::uint64_t row, std::uint64_t column, std::uint64_t from, std::uint64_t to) const {
    double sum = 0;
    for (std::uint64_t term = from; term < to; ++term) {
      sum += input(element(a, a_layout, operation.turn_a != CUBLAS_OP_N, row, term)) *
             input(element(b, b_layout, operation.turn_b != CUBLAS_OP_N, term, column));
    }
    return sum;
  }
  [[nodiscard]] double product(std::uint64_t row, std::uint64_t column) const {
    if (!in_workspace) return sum(row, column, 0, terms);
    float* const parts = workspace + (row + column * d_layout.rows) * splits;
    for (std::uint64_t part = 0; part < splits; ++part)
      parts[part] = static_cast<float>(sum(row, column, terms * part / splits, terms * (part + 1) / splits));
    double total = 0;
    for (std::uint64_t part = 0; part < splits; ++part) total += static_cast<double>(parts[part]);
    return total;
  }
  void run() const {
    const auto* const bias =
        operation.epilogue == CUBLASLT_EPILOGUE_BIAS ? static_cast<const float*>(operation.bias) : nullptr;
    for (std::uint64_t column = 0; column < d_layout.columns; ++column) {
      for (std::uint64_t row = 0; row < d_layout.rows; ++row) {
        double value = static_cast<double>(alpha) * product(row, column);
        if (beta != 0)
          value += static_cast<double>(beta) * static_cast<double>(element(c, c_layout, false, row, column));
        if (bias != nullptr) value += static_cast<double>(bias[row]);
        d[row + column * static_cast<std::uint64_t>(d_layout.leading)] = static_cast<float>(value);
      }
    }
  }
};

bool is_at(const void* address, std::size_t alignment) {
  return address != nullptr && reinterpret_cast<std::uintptr_t>(address) % alignment == 0;
}

}  // namespace

void FakeCublasLt::reset() {
  the_state() = std::make_unique<FakeLtState>();
}
void FakeCublasLt::set_version(std::size_t version) {
  the_state()->version = version;
}
void FakeCublasLt::forget_algorithm(int number) {
  the_state()->forgotten.insert(number);
}
void FakeCublasLt::fail(const std::string& name, std::uint64_t nth, cublasStatus_t status) {
  the_state()->calls.fail(name, nth, status);
}
std::string FakeCublasLt::failed_call() {
  return the_state()->calls.failed();
}
std::uint64_t FakeCublasLt::calls() {
  return the_state()->calls.all();
}
std::uint64_t FakeCublasLt::calls(const std::string& name) {
  return the_state()->calls.of(name);
}
std::vector<std::string> FakeCublasLt::leaks() {
  const FakeLtState& state = *the_state();
  std::vector<std::string> leaks;
  list("handle", state.contexts, leaks);
  list("layout", state.layouts, leaks);
  list("operation", state.operations, leaks);
  list("preference", state.preferences, leaks);
  return leaks;
}

}  // namespace spillway

using namespace spillway;  // NOLINT(google-build-using-namespace): what follows is C's

size_t cublasLtGetVersion() {
  return the_state()->version;
}

const char* cublasLtGetStatusName(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR: return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
    default: return "another status";
  }
}
const char* cublasLtGetStatusString(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? "fine" : "what the fake refuses";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  return served("cublasLtCreate", [&](FakeLtState& state) {
    int gpus = 0;
    if (cudaGetDeviceCount(&gpus) != cudaSuccess || gpus == 0) {
      static_cast<void>(cudaGetLastError());
      return CUBLAS_STATUS_NOT_INITIALIZED;
    }
    *handle = state.new_handle<cublasLtHandle_t>();
    state.contexts.add(*handle, std::make_unique<FakeLtContext>(FakeLtContext{state.calls.all()}));
    return CUBLAS_STATUS_SUCCESS;
  });
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  return destroyed("cublasLtDestroy", &FakeLtState::contexts, handle);
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t leading) {
  return served("cublasLtMatrixLayoutCreate", [&](FakeLtState& state) {
    *layout = state.new_handle<cublasLtMatrixLayout_t>();
    state.layouts.add(
        *layout, std::make_unique<FakeLtLayout>(FakeLtLayout{
                     .call = state.calls.all(), .type = type, .rows = rows, .columns = columns, .leading = leading}));
    return CUBLAS_STATUS_SUCCESS;
  });
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  return destroyed("cublasLtMatrixLayoutDestroy", &FakeLtState::layouts, layout);
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* operation, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  return served("cublasLtMatmulDescCreate", [&](FakeLtState& state) {
    *operation = state.new_handle<cublasLtMatmulDesc_t>();
    FakeLtOperation made{};
    made.call = state.calls.all();
    made.compute = compute;
    made.scale = scale;
    state.operations.add(*operation, std::make_unique<FakeLtOperation>(made));
    return CUBLAS_STATUS_SUCCESS;
  });
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t operation) {
  return destroyed("cublasLtMatmulDescDestroy", &FakeLtState::operations, operation);
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t name,
                                              const void* value, size_t size) {
  return served("cublasLtMatmulDescSetAttribute", [&](FakeLtState& state) {
    FakeLtOperation* const found = state.operations.find(operation);
    if (found == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    switch (name) {
      case CUBLASLT_MATMUL_DESC_TRANSA: return store(found->turn_a, value, size);
      case CUBLASLT_MATMUL_DESC_TRANSB: return store(found->turn_b, value, size);
      case CUBLASLT_MATMUL_DESC_EPILOGUE: return store(found->epilogue, value, size);
      case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return store(found->bias, value, size);
      default: return CUBLAS_STATUS_INVALID_VALUE;
    }
  });
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  return served("cublasLtMatmulPreferenceCreate", [&](FakeLtState& state) {
    *preference = state.new_handle<cublasLtMatmulPreference_t>();
    FakeLtPreference made{};
    made.call = state.calls.all();
    state.preferences.add(*preference, std::make_unique<FakeLtPreference>(made));
    return CUBLAS_STATUS_SUCCESS;
  });
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  return destroyed("cublasLtMatmulPreferenceDestroy", &FakeLtState::preferences, preference);
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t name, const void* value,
                                                    size_t size) {
  return served("cublasLtMatmulPreferenceSetAttribute", [&](FakeLtState& state) {
    FakeLtPreference* const found = state.preferences.find(preference);
    if (found == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    switch (name) {
      case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES: return store(found->workspace, value, size);
      case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK: return store(found->reductions, value, size);
      case CUBLASLT_MATMUL_PREF_IMPL_MASK: return store(found->implementations, value, size);
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES: return store(found->alignments[0], value, size);
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES: return store(found->alignments[1], value, size);
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES: return store(found->alignments[2], value, size);
      case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES: return store(found->alignments[3], value, size);
      default: return CUBLAS_STATUS_INVALID_VALUE;
    }
  });
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int most,
                                              cublasLtMatmulHeuristicResult_t answers[], int* count) {
  return served("cublasLtMatmulAlgoGetHeuristic", [&](FakeLtState& state) {
    const auto problem = problem_of(state, handle, operation, a, b, c, d);
    const FakeLtPreference* const wanted = state.preferences.find(preference);
    if (!problem || wanted == nullptr || most <= 0 || answers == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    const auto found = fake_lt_heuristic(*problem, *wanted);
    *count = std::min(most, static_cast<int>(found.size()));
    std::copy_n(found.begin(), *count, answers);
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasLtMatmulAlgoInit(cublasLtHandle_t handle, cublasComputeType_t compute, cudaDataType_t scale,
                                      cudaDataType_t a, cudaDataType_t b, cudaDataType_t c, cudaDataType_t d,
                                      int number, cublasLtMatmulAlgo_t* algorithm) {
  return served("cublasLtMatmulAlgoInit", [&](FakeLtState& state) {
    if (state.contexts.find(handle) == nullptr) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (algorithm == nullptr || state.forgotten.contains(number)) return CUBLAS_STATUS_INVALID_VALUE;
    for (const cudaDataType_t type : {scale, a, b, c, d}) {
      if (type != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    FakeLtAlgorithm made;
    const cublasStatus_t status = fake_lt_init(number, compute, made);
    if (status == CUBLAS_STATUS_SUCCESS) *algorithm = packed(made);
    return status;
  });
}

cublasStatus_t cublasLtMatmulAlgoCheck(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation,
                                       cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                       cublasLtMatrixLayout_t d, const cublasLtMatmulAlgo_t* algorithm,
                                       cublasLtMatmulHeuristicResult_t* result) {
  return served("cublasLtMatmulAlgoCheck", [&](FakeLtState& state) {
    const auto problem = problem_of(state, handle, operation, a, b, c, d);
    if (!problem || algorithm == nullptr || result == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    result->state = fake_lt_check(*problem, unpacked(*algorithm), result->workspaceSize);
    return result->state;
  });
}

cublasStatus_t cublasLtMatmulAlgoConfigSetAttribute(cublasLtMatmulAlgo_t* algorithm,
                                                    cublasLtMatmulAlgoConfigAttributes_t name, const void* value,
                                                    size_t size) {
  return served("cublasLtMatmulAlgoConfigSetAttribute", [&](FakeLtState&) {
    const bool can_be_set = name != CUBLASLT_ALGO_CONFIG_ID && size_of_setting(name) != 0;
    if (algorithm == nullptr || value == nullptr || !can_be_set || size != size_of_setting(name)) {
      return CUBLAS_STATUS_INVALID_VALUE;
    }
    FakeLtAlgorithm changed = unpacked(*algorithm);
    changed.config[name] = 0;
    std::memcpy(&changed.config[name], value, size);
    *algorithm = packed(changed);
    return CUBLAS_STATUS_SUCCESS;
  });
}
cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t* algorithm,
                                                    cublasLtMatmulAlgoConfigAttributes_t name, void* value, size_t size,
                                                    size_t* written) {
  return served("cublasLtMatmulAlgoConfigGetAttribute", [&](FakeLtState&) {
    if (algorithm == nullptr || value == nullptr || size == 0 || size != size_of_setting(name)) {
      return CUBLAS_STATUS_INVALID_VALUE;
    }
    std::memcpy(value, &unpacked(*algorithm).config[name], size);
    if (written != nullptr) *written = size;
    return CUBLAS_STATUS_SUCCESS;
  });
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algorithm, void* workspace,
                              size_t workspace_size, cudaStream_t stream) {
  return served("cublasLtMatmul", [&](FakeLtState& state) {
    const auto problem = problem_of(state, handle, operation, a_layout, b_layout, c_layout, d_layout);
    if (!problem || alpha == nullptr || beta == nullptr || algorithm == nullptr) return CUBLAS_STATUS_INVALID_VALUE;
    const FakeLtAlgorithm how = unpacked(*algorithm);
    std::size_t needed = 0;
    if (const auto status = fake_lt_check(*problem, how, needed); status != CUBLAS_STATUS_SUCCESS) return status;
    for (const void* address : {a, b, c, static_cast<const void*>(d)}) {
      if (!is_at(address, fake_lt_alignment(how))) return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    const FakeLtOperation& described = problem->operation;
    constexpr std::uintptr_t kNobodys = 4096;  // what stands for an alignment until a launch has an address
    if (described.epilogue == CUBLASLT_EPILOGUE_BIAS && reinterpret_cast<std::uintptr_t>(described.bias) < kNobodys) {
      return CUBLAS_STATUS_INVALID_VALUE;
    }
    if (workspace_size < needed || (needed > 0 && !is_at(workspace, 256))) return CUBLAS_STATUS_INVALID_VALUE;
    const std::uint32_t reduction = how.at(CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME);
    const FakeLtWork work{.operation = described,
                          .a_layout = problem->a,
                          .b_layout = problem->b,
                          .c_layout = problem->c,
                          .d_layout = problem->d,
                          .a = static_cast<const float*>(a),
                          .b = static_cast<const float*>(b),
                          .c = static_cast<const float*>(c),
                          .d = static_cast<float*>(d),
                          .alpha = *static_cast<const float*>(alpha),
                          .beta = *static_cast<const float*>(beta),
                          .workspace = static_cast<float*>(workspace),
                          .terms = problem->terms(),
                          .splits = how.at(CUBLASLT_ALGO_CONFIG_SPLITK_NUM),
                          .in_workspace = (reduction & (CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE |
                                                        CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE)) != 0,
                          .tf32 = how.at(CUBLASLT_ALGO_CONFIG_ID) == 66};
    static_cast<void>(cudaGetLastError());
    fake_cuda_launch(
        stream, [work] { work.run(); }, "cublasLtMatmul");
    return cudaGetLastError() == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
  });
}
