#pragma once

#include "core/error.h"

namespace spillway {

/// Reads the command line, prints help where it is asked for, runs the command.
/// Throws Error (exit 2) of one line naming the flag, with a near miss.
[[nodiscard]] ExitCode parse_and_run(int argc, const char* const* argv);

}  // namespace spillway
