#include "device/cpu/kernels/packed_weights.h"

namespace spillway {

namespace {

Bytes size_of(const dnnl::memory::desc& layout) {
  return {static_cast<std::int64_t>(layout.get_size())};
}

void add_reorder(RecipeBuilder& builder, const dnnl::memory::desc& from_layout, const Place& from,
                 const dnnl::memory::desc& to_layout, const Place& to) {
  const dnnl::reorder::primitive_desc reorder(cpu_engine(), from_layout, cpu_engine(), to_layout, kernel_attributes());
  builder.add(reorder, {{DNNL_ARG_FROM, from_layout, from}, {DNNL_ARG_TO, to_layout, to}});
}

}  // namespace

Place pack_weights(RecipeBuilder& builder, std::size_t index, const dnnl::memory::desc& packed,
                   const Extents& extents) {
  if (packed == canonical(extents)) return RecipeBuilder::input(index);
  const Place place = builder.workspace(size_of(packed));
  add_reorder(builder, canonical(extents), RecipeBuilder::input(index), packed, place);
  return place;
}

Place packed_gradient(RecipeBuilder& builder, std::size_t index, const dnnl::memory::desc& packed,
                      const Extents& extents) {
  return packed == canonical(extents) ? RecipeBuilder::output(index) : builder.workspace(size_of(packed));
}

void unpack_gradient(RecipeBuilder& builder, const Place& place, std::size_t index, const dnnl::memory::desc& packed,
                     const Extents& extents) {
  if (place.in == Place::In::output) return;
  add_reorder(builder, packed, place, canonical(extents), RecipeBuilder::output(index));
}

}  // namespace spillway
