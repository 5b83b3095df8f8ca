#include "device/cuda/index_limit.h"

#include <cstdint>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"

namespace spillway {

void refuse_too_many_elements(const OpDescription& op, const OperandDescription& operand, std::string_view name,
                              std::string_view library) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 31;
  const std::int64_t count = elements(operand);
  if (count < kLimit) return;
  throw input_error(
      fmt::format("{}: '{}' [{}] has {} elements, {} takes fewer than {}; use a smaller batch or a smaller model",
                  kind_of(op.attributes), name, fmt::join(operand.extents, ", "), count, library, kLimit));
}

}  // namespace spillway
