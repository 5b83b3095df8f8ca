#pragma once

#include "cli/options.h"
#include "core/platform.h"

namespace spillway {

/// `platform` with what `--gpu`, `--set`, `--gpus` and `--nodes` change, in this order; its name tells of them.
/// Throws Error (exit 2): there is no such GPU or key, or the machine hasn't as many GPUs.
[[nodiscard]] Platform with_overrides(Platform platform, const PlatformOptions& options);

}  // namespace spillway
