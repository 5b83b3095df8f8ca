#include "device/checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace spillway {

std::byte* within(std::byte* memory, Bytes end, Bytes offset, Bytes size, const char* what) {
  SPILLWAY_CHECK(offset.value >= 0 && size.value >= 0 && size <= end && offset <= end - size,
                 fmt::format("bytes {} + {} outside the {} of {}", offset.value, size.value, what, end.value));
  return memory + offset.value;
}

Error no_such_kernel(const std::string& device, const OpDescription& op, const std::string& kernel,
                     const std::vector<std::string>& known) {
  return machine_error(fmt::format("device {}: no kernel '{}' for {}; it has {}", device, kernel,
                                   kind_of(op.attributes),
                                   known.empty() ? "none" : fmt::format("'{}'", fmt::join(known, "', '"))));
}

}  // namespace spillway
