#include "device/cpu/kernel.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "device/cpu/kernels/onednn.h"
#include "device/cpu/kernels/recipe_kernel.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

namespace {

// The executor runs it, with a communicator.
std::vector<Recipe> recipes(const AllReduce&, const OpDescription&, int) {
  return {};
}

std::vector<Recipe> recipes(const Opaque&, const OpDescription&, int) {
  return {};
}

bool has_space(const OperandDescription& operand) {
  return operand.batched && operand.extents.size() > 2;
}

std::vector<Recipe> all_recipes(const OpDescription& op, int threads) {
  const bool spatial = std::ranges::any_of(op.inputs, has_space) || std::ranges::any_of(op.outputs, has_space);
  if (spatial && op.layout != Layout::channels_last) return {};
  use_threads(threads);
  return checked(kind_of(op.attributes), [&] {
    return std::visit([&](const auto& kind) { return recipes(kind, op, threads); }, op.attributes);
  });
}

}  // namespace

std::vector<KernelOption> cpu_kernels(const OpDescription& op, int threads) {
  std::vector<KernelOption> options;
  for (const Recipe& recipe : all_recipes(op, threads)) options.push_back({recipe.id, recipe.workspace});
  return options;
}

std::unique_ptr<CpuKernel> make_cpu_kernel(const OpDescription& op, const std::string& id, int threads) {
  std::vector<Recipe> all = all_recipes(op, threads);
  const auto chosen = std::ranges::find(all, id, &Recipe::id);
  SPILLWAY_CHECK(chosen != all.end(), id);
  return make_recipe_kernel(std::move(*chosen), kind_of(op.attributes), threads);
}

}  // namespace spillway
