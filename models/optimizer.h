#pragma once

#include <string>
#include <variant>

#include "core/attributes.h"

namespace spillway {

/// How parameters are updated: the rule with its constants, and the learning rate that training starts with.
struct Optimizer {
  std::variant<SgdMomentum, Adam> rule;
  double learning_rate = 0.01;
};

/// "adam" or "sgd", with the rule's usual constants (see core/attributes.h).
/// Throws Error (exit 2) when `name` is neither.
[[nodiscard]] Optimizer make_optimizer(const std::string& name, double learning_rate);

}  // namespace spillway
