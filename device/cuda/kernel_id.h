#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What the kernel ids of libraries have in common: "LIBRARY VERSION|sm_CAPABILITYxCOUNT|...", the first two parts being
// the machine that the kernel was chosen for.

namespace spillway {

[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
/// Empty where the text is anything else than one whole number.
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view text);

/// Throws Error (exit 3) of one line unless the first two of the id's parts are `machine`. Requires: two parts or more.
void refuse_other_machine(const std::string& id, std::span<const std::string_view> parts, const std::string& machine);

}  // namespace spillway
