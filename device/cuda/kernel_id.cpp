#include "device/cuda/kernel_id.h"

#include <charconv>

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void refuse_other_machine(const std::string& id, std::span<const std::string_view> parts, const std::string& machine) {
  const std::string made_for = fmt::format("{}|{}", parts[0], parts[1]);
  if (made_for == machine) return;
  throw machine_error(fmt::format("kernel '{}': made for {}, found {}; record the trace again with 'spillway profile'",
                                  id, made_for, machine));
}

}  // namespace spillway
