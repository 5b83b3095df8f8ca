#pragma once

#include "device/cpu/kernels/onednn.h"
#include "device/cpu/kernels/recipe.h"

namespace spillway {

// Weights lie in canonical order; an implementation may want its own. Then it packs them into the workspace, or unpacks
// a gradient from there, in every run: weights are small beside activations.

/// Adds the step that packs input `index`, if `packed` isn't canonical already, and says where the packed weights lie.
[[nodiscard]] Place pack_weights(RecipeBuilder& builder, std::size_t index, const dnnl::memory::desc& packed,
                                 const Extents& extents);

/// Where a gradient in layout `packed` is to be written: output `index` itself if the layout is canonical, else the
/// workspace.
[[nodiscard]] Place packed_gradient(RecipeBuilder& builder, std::size_t index, const dnnl::memory::desc& packed,
                                    const Extents& extents);
/// Adds the step that brings the gradient from `place` to output `index`, if it isn't there already.
void unpack_gradient(RecipeBuilder& builder, const Place& place, std::size_t index, const dnnl::memory::desc& packed,
                     const Extents& extents);

}  // namespace spillway
