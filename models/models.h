#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/graph.h"
#include "models/optimizer.h"
#include "models/settings.h"

namespace spillway {

/// A built-in model: what it is called, what can be set, and how to write its forward graph.
struct Model {
  std::string name;
  std::string help;  ///< one line
  std::vector<SettingDescription> settings;
  std::string default_optimizer;
  double adam_learning_rate = 0, sgd_learning_rate = 0;
  Graph (*forward)(const SettingsReader& settings);
};

/// All built-in models, for lists and help.
[[nodiscard]] const std::vector<Model>& models();
/// Throws Error (exit 2) naming the nearest model when there is none of this name.
[[nodiscard]] const Model& find_model(const std::string& name);

/// The forward graph: inputs, parameters, loss.
/// Throws Error (exit 2) when model or settings are wrong, naming what is near.
[[nodiscard]] Graph make_forward(const std::string& name, const ModelSettings& settings);
/// The optimizer `adam` or `sgd` at the model's learning rate for it; the model's own one where none is named. Throws
/// like make_forward.
[[nodiscard]] Optimizer optimizer_for(const std::string& model, const std::optional<std::string>& optimizer);
/// The training step. Throws like make_forward.
[[nodiscard]] Graph make_model(const std::string& name, const ModelSettings& settings, const Optimizer& optimizer);
[[nodiscard]] Graph make_model(const std::string& name, const ModelSettings& settings,
                               const std::optional<std::string>& optimizer = std::nullopt);

}  // namespace spillway
