#pragma once

#include <string>

#include "core/trace.h"

namespace spillway {

/// A capacity as the user wrote it: `45%` of the footprint, or a size.
/// Throws Error (exit 2) that names `--capacity`.
[[nodiscard]] Bytes parse_capacity(const std::string& text, Bytes footprint);

/// What the arena may use when nobody says: a GPU's memory less 5 %, and less what the process needs outside the arena
/// (`trace.process_bytes`); of a CPU, whose memory is no limit of its own, the footprint.
/// Throws Error (exit 2) when that leaves nothing.
[[nodiscard]] Bytes default_capacity(const Platform& platform, const Trace& trace, Bytes footprint);

}  // namespace spillway
