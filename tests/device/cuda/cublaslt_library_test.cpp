// What the library itself says without a GPU: that our descriptors are as it wants them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "core/error.h"
#include "device/cuda/cublaslt_algorithm.h"
#include "device/cuda/cublaslt_kernels.h"

namespace spillway {
namespace {

using testing::MatchesRegex;
using testing::StartsWith;

TEST(CublasLtLibrary, HasSettingsOfTheSizesThatIdsAreReadWith) {
  const cublasLtMatmulAlgo_t algorithm{};
  for (const CublasLtSetting& setting : kCublasLtSettings) {
    std::size_t bytes = 0;
    ASSERT_EQ(cublasLtMatmulAlgoConfigGetAttribute(&algorithm, setting.attribute, nullptr, 0, &bytes),
              CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(bytes, setting.size) << setting.name;
  }
}

TEST(CublasLtLibrary, TakesTheAttributesThatProductsSet) {
  const CublasLtLayout layout = make_layout(7, 5, "a matrix");
  const CublasLtOperation operation = make_operation(compute_type(false), "a product");
  set(operation, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T, "a product");
  set(operation, CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N, "a product");
  set(operation, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS, "a product");
  set<const void*>(operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, nullptr, "a product");
  const CublasLtPreference preference = make_preference("a product");
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{1} << 25, "a product");
  set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, kCublasLtReductions, "a product");
  set(preference, CUBLASLT_MATMUL_PREF_IMPL_MASK, std::uint64_t{CUBLASLT_NUMERICAL_IMPL_FLAGS_FMA}, "a product");
  set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, std::uint32_t{4}, "a product");
  EXPECT_THROW(set(operation, CUBLASLT_MATMUL_DESC_TRANSA, std::int64_t{0}, "eight bytes for four"), Error);
}

TEST(CublasLtLibrary, NamesItsVersion) {
  EXPECT_THAT(cublaslt_version(), MatchesRegex("1[2-9]\\.[0-9]+\\.[0-9]+"));
}

TEST(CublasLtLibrary, SaysThatThereIsNoGpuOrHasKernels) {
  const LaunchTable none{};
  const OperandDescription x{ElementType::float32, true, {8, 16}}, y{ElementType::float32, true, {8, 4}},
      weights{ElementType::float32, false, {4, 16}};
  try {
    CublasLtKernels kernels(none);
    EXPECT_FALSE(kernels
                     .kernels({.attributes = LinearBackwardData{},
                               .layout = Layout::channels_last,
                               .inputs = {y, weights},
                               .outputs = {x},
                               .in_place = {-1}})
                     .empty());
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), StartsWith("cuBLASLt: cublasLtCreate for the current GPU: CUBLAS_STATUS_"));
  }
}

}  // namespace
}  // namespace spillway
