#include "models/models.h"

#include <fmt/format.h>

#include "core/error.h"
#include "models/autodiff/training_step.h"
#include "models/mlp.h"
#include "models/resnet.h"
#include "models/unet3d.h"

namespace spillway {

const std::vector<Model>& models() {
  static const std::vector<Model> all{unet3d_model(), resnet_model(), mlp_model()};
  return all;
}

const Model& find_model(const std::string& name) {
  std::vector<std::string> names;
  for (const Model& model : models()) {
    if (model.name == name) return model;
    names.push_back(model.name);
  }
  const std::string near = nearest_name(name, names);
  throw input_error(near.empty() ? fmt::format("model '{}': unknown, expected one of {}", name, fmt::join(names, ", "))
                                 : fmt::format("model '{}': unknown; did you mean '{}'?", name, near));
}

Graph make_forward(const std::string& name, const ModelSettings& settings) {
  const Model& model = find_model(name);
  return model.forward(SettingsReader(model.name, settings, model.settings));
}

Optimizer optimizer_for(const std::string& model, const std::optional<std::string>& optimizer) {
  const Model& found = find_model(model);
  const std::string rule = optimizer.value_or(found.default_optimizer);
  return make_optimizer(rule, rule == "adam" ? found.adam_learning_rate : found.sgd_learning_rate);
}

Graph make_model(const std::string& name, const ModelSettings& settings, const Optimizer& optimizer) {
  return training_step(make_forward(name, settings), optimizer);
}

Graph make_model(const std::string& name, const ModelSettings& settings, const std::optional<std::string>& optimizer) {
  return make_model(name, settings, optimizer_for(name, optimizer));
}

}  // namespace spillway
