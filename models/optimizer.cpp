#include "models/optimizer.h"

#include <array>

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {

Optimizer make_optimizer(const std::string& name, double learning_rate) {
  if (name == "adam") return {Adam{}, learning_rate};
  if (name == "sgd") return {SgdMomentum{}, learning_rate};
  const std::array<std::string, 2> known{"adam", "sgd"};
  const std::string near = nearest_name(name, known);
  throw input_error(fmt::format("optimizer '{}': unknown, expected adam or sgd{}", name,
                                near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

}  // namespace spillway
