#pragma once

#include <cstdint>

#include "core/op_description.h"

namespace spillway {

/// x + y, `count` numbers each, in x's place.
[[nodiscard]] inline OpDescription add_in_place(std::int64_t count) {
  const OperandDescription numbers{.type = ElementType::float32, .batched = true, .extents = {1, count}};
  return {.attributes = Add{},
          .layout = Layout::channels_last,
          .inputs = {numbers, numbers},
          .outputs = {numbers},
          .in_place = {0}};
}

}  // namespace spillway
