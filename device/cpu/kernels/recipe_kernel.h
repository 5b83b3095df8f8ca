#pragma once

#include <memory>
#include <string_view>

#include "device/cpu/kernel.h"
#include "device/cpu/kernels/recipe.h"

namespace spillway {

/// Builds the recipe's primitives and everything else that allocates, so that `run` doesn't. `kind` is for messages.
/// Throws Error (exit 3) when oneDNN can't build one, and from `run` when it can't execute one.
[[nodiscard]] std::unique_ptr<CpuKernel> make_recipe_kernel(Recipe recipe, std::string_view kind, int threads);

}  // namespace spillway
