#pragma once

#include "cli/options.h"
#include "core/trace.h"

namespace spillway {

/// The machine that `--platform`, `--gpu`, `--set`, `--gpus` and `--nodes` tell of, in this order. `--platform` names a
/// device string (the traced machine with that link), a file or a preset; without it the machine is `otherwise`.
///
/// Throws Error: exit 2 when the options make no machine, exit 3 when a link is faster than the traced machine copies.
[[nodiscard]] Platform platform_for(const PlatformOptions& options, const Trace& trace, const Platform& otherwise);

}  // namespace spillway
