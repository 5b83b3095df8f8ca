#pragma once

#include <string>

namespace spillway {

/// `spillway --help`. 80 columns.
[[nodiscard]] std::string general_help();
/// `spillway COMMAND --help`. Requires: there is such a command. 80 columns; the examples run as they stand, in this
/// order of commands, in an empty folder.
[[nodiscard]] std::string command_help(const std::string& command);

}  // namespace spillway
