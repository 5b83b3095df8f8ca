#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/units.h"

namespace spillway {

/// Turns one sample from [channels, positions] into [positions, channels], elements of `element` bytes (1, 4 or 8).
/// Requires: both spans hold channels * positions elements and don't overlap; they needn't be aligned.
void to_channels_last(std::span<const std::byte> from, std::int64_t channels, std::int64_t positions, Bytes element,
                      std::span<std::byte> to);

}  // namespace spillway
