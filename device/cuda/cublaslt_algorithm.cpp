#include "device/cuda/cublaslt_algorithm.h"

#include <bit>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "device/cuda/kernel_id.h"

namespace spillway {
namespace {

/// Reads "tile=15,stages=8,..."; false when it reads otherwise.
bool read_settings(std::string_view text, CublasLtAlgorithm& algorithm) {
  const std::vector<std::string_view> settings = split(text, ',');
  if (settings.size() != kCublasLtSettings.size()) return false;
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const std::vector<std::string_view> sides = split(settings[i], '=');
    if (sides.size() != 2 || sides[0] != kCublasLtSettings[i].name) return false;
    const std::optional<std::int64_t> value = whole_number(sides[1]);
    const std::int64_t most = (std::int64_t{1} << (8 * kCublasLtSettings[i].size)) - 1;
    if (!value || *value < 0 || *value > most) return false;
    algorithm.settings[i] = static_cast<std::uint32_t>(*value);
  }
  return true;
}

/// Reads "linear algorithm 20 tile=15,..." and "fp32"; nothing when they read otherwise.
std::optional<CublasLtAlgorithm> read_algorithm(std::string_view text, std::string_view precision) {
  const std::vector<std::string_view> words = split(text, ' ');
  if (words.size() != 4 || words[0].empty() || words[1] != "algorithm") return std::nullopt;
  if (precision != "fp32" && precision != "tf32") return std::nullopt;
  const std::optional<std::int64_t> number = whole_number(words[2]);
  if (!number || *number < 0 || *number > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  CublasLtAlgorithm algorithm{.product = std::string(words[0]),
                              .tf32 = precision == "tf32",
                              .number = static_cast<std::int32_t>(*number),
                              .settings = {}};
  return read_settings(words[3], algorithm) ? std::optional(algorithm) : std::nullopt;
}

bool sums_in_order(const CublasLtAlgorithm& algorithm) {
  for (std::size_t i = 0; i < kCublasLtSettings.size(); ++i) {
    const bool is_reduction = kCublasLtSettings[i].attribute == CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME;
    if (is_reduction && (algorithm.settings[i] & ~kCublasLtReductions) != 0) return false;
  }
  return true;
}

/// An attribute's value of at most four bytes.
std::uint32_t value_of(const cublasLtMatmulAlgo_t& algorithm, cublasLtMatmulAlgoConfigAttributes_t attribute,
                       std::size_t size, std::string_view name, std::string_view product) {
  static_assert(std::endian::native == std::endian::little, "the lower bytes come first");
  std::uint32_t value = 0;
  std::size_t written = 0;
  check_cublaslt(cublasLtMatmulAlgoConfigGetAttribute(&algorithm, attribute, &value, size, &written),
                 "cublasLtMatmulAlgoConfigGetAttribute", fmt::format("{} of an algorithm of {}", name, product));
  return value;
}

}  // namespace

std::string kernel_id(const CublasLtMachine& machine, const CublasLtAlgorithm& algorithm) {
  std::string settings;
  for (std::size_t i = 0; i < kCublasLtSettings.size(); ++i) {
    settings += fmt::format("{}{}={}", i == 0 ? "" : ",", kCublasLtSettings[i].name, algorithm.settings[i]);
  }
  return fmt::format("{}|{} algorithm {} {}|{}", machine.name(), algorithm.product, algorithm.number, settings,
                     algorithm.tf32 ? "tf32" : "fp32");
}

CublasLtAlgorithm algorithm_of(const CublasLtMachine& machine, const std::string& id) {
  const std::vector<std::string_view> parts = split(id, '|');
  std::optional<CublasLtAlgorithm> algorithm;
  if (parts.size() == 4 && parts[0].starts_with("cublaslt ")) algorithm = read_algorithm(parts[2], parts[3]);
  if (!algorithm) {
    throw machine_error(
        fmt::format("kernel '{}': expected one of cuBLASLt's, as 'cublaslt VERSION|sm_CAPABILITYxCOUNT|OP algorithm "
                    "NUMBER tile=N,stages=N,splits=N,reduction=N,swizzle=N,custom=N,inner=N,cluster=N|fp32'",
                    id));
  }
  refuse_other_machine(id, parts, machine.name());
  if (!sums_in_order(*algorithm)) {
    throw machine_error(fmt::format("kernel '{}': this algorithm doesn't give the same bits every time", id));
  }
  return *algorithm;
}

CublasLtAlgorithm read_algorithm(const cublasLtMatmulAlgo_t& algorithm, const std::string& product, bool tf32) {
  CublasLtAlgorithm result{.product = product, .tf32 = tf32, .number = 0, .settings = {}};
  result.number = static_cast<std::int32_t>(value_of(algorithm, CUBLASLT_ALGO_CONFIG_ID, 4, "number", product));
  for (std::size_t i = 0; i < kCublasLtSettings.size(); ++i) {
    const CublasLtSetting& setting = kCublasLtSettings[i];
    result.settings[i] = value_of(algorithm, setting.attribute, setting.size, setting.name, product);
  }
  return result;
}

std::variant<cublasLtMatmulAlgo_t, CublasLtRefusal> make_algorithm(const CublasLtMachine& machine,
                                                                   const CublasLtAlgorithm& algorithm,
                                                                   std::string_view what) {
  cublasLtMatmulAlgo_t result{};
  const cublasStatus_t made =
      cublasLtMatmulAlgoInit(machine.handle(), compute_type(algorithm.tf32), CUDA_R_32F, CUDA_R_32F, CUDA_R_32F,
                             CUDA_R_32F, CUDA_R_32F, algorithm.number, &result);
  if (const auto refusal = refusal_of(made, "cublasLtMatmulAlgoInit", what)) return *refusal;
  for (std::size_t i = 0; i < kCublasLtSettings.size(); ++i) {
    const CublasLtSetting& setting = kCublasLtSettings[i];
    const cublasStatus_t set =
        cublasLtMatmulAlgoConfigSetAttribute(&result, setting.attribute, &algorithm.settings[i], setting.size);
    if (const auto refusal = refusal_of(set, "cublasLtMatmulAlgoConfigSetAttribute", what)) return *refusal;
  }
  return result;
}

}  // namespace spillway
