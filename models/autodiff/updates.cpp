#include "models/autodiff/updates.h"

#include <algorithm>
#include <string>
#include <variant>

#include <fmt/format.h>

#include "models/autodiff/training_step.h"

namespace spillway {

namespace {

// Adds, multiplications, divisions and roots per element, counted from the formulas in core/attributes.h.
constexpr double kSgdFlops = 4;
constexpr double kAdamFlops = 12;

void append_one(GraphBuilder& builder, const Optimizer& optimizer, const std::string& name, const std::string& suffix,
                TensorId w, TensorId dw) {
  const Extents extents = builder.graph().tensors[w].extents;
  const double count = static_cast<double>(elements_per_sample(builder.graph().tensors[w]));
  const auto zeros = [&](const char* what) {
    return builder.lasting(fmt::format("{}.{}{}", name, what, suffix), extents, Role::optimizer_state, Initializer{});
  };
  const TensorId rate = builder.state("learning_rate", ElementType::float32, optimizer.learning_rate);
  const std::string update = fmt::format("{}.update{}", name, suffix);
  if (const Adam* adam = std::get_if<Adam>(&optimizer.rule)) {
    const TensorId m = zeros("first_moment"), v = zeros("second_moment");
    const TensorId step = builder.state("step", ElementType::int64, 0);
    builder.op({update, *adam, {w, dw, m, v, rate, step}, {w, m, v}, Phase::update, false, kAdamFlops * count, 0});
  } else {
    const TensorId velocity = zeros("velocity");
    builder.op({update,
                std::get<SgdMomentum>(optimizer.rule),
                {w, dw, velocity, rate},
                {w, velocity},
                Phase::update,
                false,
                kSgdFlops * count,
                0});
  }
}

}  // namespace

void append_update(GraphBuilder& builder, const Optimizer& optimizer, TensorId parameter, TensorId gradient) {
  const Tensor whole = builder.graph().tensors[parameter];
  const std::string of_gradient = builder.graph().tensors[gradient].name;
  const std::int64_t total = elements_per_sample(whole);
  const std::int64_t most = kLargestUpdate.value / size_of(whole.type).value;
  if (total <= most) {
    append_one(builder, optimizer, whole.name, "", parameter, gradient);
    return;
  }
  for (std::int64_t first = 0, number = 0; first < total; first += most, ++number) {
    const std::int64_t count = std::min(most, total - first);
    const TensorId w = builder.slice(fmt::format("{}.slice.{}", whole.name, number), parameter, first, count);
    const TensorId dw = builder.slice(fmt::format("{}.slice.{}", of_gradient, number), gradient, first, count);
    append_one(builder, optimizer, whole.name, fmt::format(".{}", number), w, dw);
  }
}

}  // namespace spillway
