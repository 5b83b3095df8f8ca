#pragma once

#include <string_view>

#include "core/op_description.h"

namespace spillway {

/// Throws Error (exit 2) naming the operand when it has 2^31 elements or more, for which the indices of the library's
/// kernels are too narrow. `name` is the operand's in core/attributes.h, `library` as its makers write it.
void refuse_too_many_elements(const OpDescription& op, const OperandDescription& operand, std::string_view name,
                              std::string_view library);

}  // namespace spillway
