#pragma once

#include "models/models.h"

namespace spillway {

/// A multilayer perceptron: inputs `image` [inputs] and `labels`, a class each.
[[nodiscard]] Model mlp_model();

}  // namespace spillway
