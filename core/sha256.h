#pragma once

#include <string>
#include <string_view>

namespace spillway {

/// SHA-256 in lower-case hexadecimal digits.
[[nodiscard]] std::string sha256(std::string_view content);

}  // namespace spillway
