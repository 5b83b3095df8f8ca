#include "models/mlp.h"

#include <string>

#include <fmt/format.h>

#include "models/builder.h"

namespace spillway {

namespace {

Graph mlp(const SettingsReader& settings) {
  const std::int64_t width = settings.whole_number("width", 1, 1 << 20);
  const std::int64_t depth = settings.whole_number("depth", 0, 1000);
  const std::int64_t inputs = settings.whole_number("inputs", 1, 1 << 24);
  const std::int64_t classes = settings.whole_number("classes", 2, 1'000'000);

  GraphBuilder builder("mlp");
  TensorId x = builder.input("image", {inputs});
  const TensorId labels = builder.input("labels", {}, ElementType::int64);
  for (std::int64_t layer = 1; layer <= depth; ++layer) {
    x = builder.linear(fmt::format("hidden{}.linear", layer), x, width);
    x = builder.leaky_relu_in_place(fmt::format("hidden{}.relu", layer), x, 0);
  }
  builder.softmax_cross_entropy("loss", builder.linear("head.linear", x, classes), labels);
  return builder.take();
}

}  // namespace

Model mlp_model() {
  return {.name = "mlp",
          .help = "multilayer perceptron for classification, cross-entropy loss",
          .settings = {{"width", "512", "units of each hidden layer"},
                       {"depth", "3", "hidden layers"},
                       {"inputs", "784", "values of a sample"},
                       {"classes", "10", "classes"}},
          .default_optimizer = "adam",
          .adam_learning_rate = 1e-3,
          .sgd_learning_rate = 0.01,
          .forward = &mlp};
}

}  // namespace spillway
