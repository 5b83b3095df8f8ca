#include "device/cpu/kernels/recipe.h"

#include <algorithm>

namespace spillway {

namespace {
constexpr Bytes kAlignment{64};  // a cache line, and the widest vector register
}

Place RecipeBuilder::workspace(Bytes size) {
  const Place place{Place::In::workspace, 0, reserved_};
  reserved_ += align_up(size, kAlignment);
  return place;
}

void RecipeBuilder::add(const dnnl::primitive_desc_base& primitive, std::vector<Argument> arguments) {
  const dnnl::memory::desc scratchpad = primitive.scratchpad_desc();
  const Bytes size{static_cast<std::int64_t>(scratchpad.get_size())};
  if (size.value > 0) {
    scratchpad_ = std::max(scratchpad_, size);
    arguments.push_back({DNNL_ARG_SCRATCHPAD, scratchpad, {Place::In::scratchpad, 0, {}}});
  }
  steps_.emplace_back(PrimitiveStep{primitive, std::move(arguments)});
}

Recipe RecipeBuilder::finish(std::string id) {
  const Place scratchpad = workspace(scratchpad_);
  for (Step& step : steps_) {
    if (auto* primitive = std::get_if<PrimitiveStep>(&step)) {
      for (Argument& argument : primitive->arguments) {
        if (argument.place.in == Place::In::scratchpad) argument.place = scratchpad;
      }
    }
  }
  return {std::move(id), reserved_, std::move(steps_)};
}

}  // namespace spillway
