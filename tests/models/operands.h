#pragma once

#include <string>
#include <vector>

#include "core/graph.h"

namespace spillway {

/// Every operand that doesn't have the shape or type which its op's kind asks for, one line each.
/// The rules are those in the comments of core/attributes.h, written down again.
[[nodiscard]] std::vector<std::string> operand_mistakes(const Graph& graph);

}  // namespace spillway
