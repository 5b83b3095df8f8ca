#pragma once

#include "cli/options.h"
#include "core/trace.h"

namespace spillway {

/// The machine that `--platform`, `--gpu`, `--set`, `--gpus` and `--nodes` tell of, in this order. `--platform` names a
/// device string (the traced machine with that link), a file or a preset; without it the machine is `otherwise`.
///
/// Throws Error: exit 2 when the options make no machine, exit 3 when a link is faster than the traced machine copies.
[[nodiscard]] Platform platform_for(const PlatformOptions& options, const Trace& trace, const Platform& otherwise);

/// What the arena may use when nobody says: a GPU's memory less 5 %, and less what the process needs outside the arena
/// (`trace.process_bytes`); of a CPU, whose memory is no limit of its own, the footprint.
/// Throws Error (exit 2) when that leaves nothing.
[[nodiscard]] Bytes default_capacity(const Platform& platform, const Trace& trace, Bytes footprint);

}  // namespace spillway
