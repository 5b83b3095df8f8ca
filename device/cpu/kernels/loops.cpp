#include "device/cpu/kernels/loops.h"

#include "device/cpu/kernels/onednn.h"
#include "device/cpu/kernels/recipes.h"

namespace spillway {

std::vector<Recipe> loop_recipe(LoopStep loop) {
  RecipeBuilder builder;
  builder.add(std::move(loop));
  std::vector<Recipe> all;
  all.push_back(builder.finish(loop_id()));
  return all;
}

Grid grid_of(const Extents& extents) {
  Grid grid;
  grid.samples = extents[0];
  grid.channels = extents[1];
  for (std::size_t i = 2; i < extents.size(); ++i) {
    grid.space[3 - extents.size() + i] = extents[i];
    grid.is_spatial[3 - extents.size() + i] = true;
  }
  return grid;
}

}  // namespace spillway
