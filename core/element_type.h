#pragma once

#include <cstdint>

#include "core/units.h"

namespace spillway {

/// Spelled in files as here.
enum class ElementType { float32, int32, int64, uint8 };

[[nodiscard]] constexpr Bytes size_of(ElementType type) {
  switch (type) {
    case ElementType::float32:
    case ElementType::int32: return {4};
    case ElementType::int64: return {8};
    case ElementType::uint8: return {1};
  }
  return {0};
}

}  // namespace spillway
