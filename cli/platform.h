#pragma once

#include <optional>
#include <string>

#include "core/trace.h"

namespace spillway {

/// What `--platform` names: nothing (the traced machine), a device string (the traced machine with that link), or a
/// file. Throws Error: exit 2 when it is none of them, exit 3 when a link is faster than the traced machine copies.
[[nodiscard]] Platform platform_for(const std::optional<std::string>& text, const Trace& trace);

}  // namespace spillway
