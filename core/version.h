#pragma once

#include <string_view>

namespace spillway {

/// As `spillway --version` prints it, and as files name it that only the same version may go on with.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace spillway
