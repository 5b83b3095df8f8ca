#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/op_description.h"
#include "core/units.h"

namespace spillway {

// What all devices check alike.

/// `memory` + `offset`, if `size` bytes from there lie below `end`; else a failed SPILLWAY_CHECK that names `what`.
[[nodiscard]] std::byte* within(std::byte* memory, Bytes end, Bytes offset, Bytes size, const char* what);

/// That a device has no such kernel for an op, and which it has.
[[nodiscard]] Error no_such_kernel(const std::string& device, const OpDescription& op, const std::string& kernel,
                                   const std::vector<std::string>& known);

}  // namespace spillway
