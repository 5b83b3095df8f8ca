#pragma once

#include <string>

#include "core/platform.h"

namespace spillway {

/// One node as a tree of sockets, switches and GPUs, each rate with its mark (measured, data sheet, assumed), then the
/// GPUs' links, then every figure with its source. 80 columns. Of many GPUs only the first are drawn.
[[nodiscard]] std::string drawn(const Platform& platform);

/// What a source begins with, short: `measured`, `data sheet`, `unverified` (a data sheet that nobody opened),
/// `assumed`, `set`; `no source` for an empty one, `by hand` for any other.
[[nodiscard]] std::string mark_of(const std::string& source);

}  // namespace spillway
