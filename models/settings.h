#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/attributes.h"

namespace spillway {

/// One setting of a model, for `spillway list models` and for reading `--set`.
struct SettingDescription {
  std::string name;
  std::string default_value;  ///< as it would be written; empty: follows from other settings
  std::string help;           ///< one line
};

/// What the user set: KEY=VALUE pairs, read by the model.
struct ModelSettings {
  std::map<std::string, std::string> values;
};
/// Throws Error (exit 2) when a pair has no `=`, no key, or a key that was there before.
[[nodiscard]] ModelSettings parse_settings(const std::vector<std::string>& pairs);

/// Reads the settings of one model; what isn't set has its default.
/// Every error is an Error (exit 2) that starts with the model's name and the setting.
class SettingsReader {
 public:
  /// Throws when `settings` has a key that isn't among `descriptions`.
  SettingsReader(std::string model, const ModelSettings& settings, const std::vector<SettingDescription>& descriptions);

  [[nodiscard]] bool is_set(const std::string& name) const;
  /// A whole number from `low` to `high`.
  [[nodiscard]] std::int64_t whole_number(const std::string& name, std::int64_t low, std::int64_t high) const;
  /// A number from `low` to below `high`.
  [[nodiscard]] double number(const std::string& name, double low, double high) const;
  /// Whole numbers between x's: `96x112x96`, each from 1 to 4096.
  [[nodiscard]] Extents extents(const std::string& name, std::size_t dimensions) const;
  /// Throws an Error: `model: setting: text`.
  [[noreturn]] void refuse(const std::string& name, const std::string& text) const;

 private:
  std::string model_;
  std::map<std::string, std::string> values_;
  std::map<std::string, bool> set_;
};

}  // namespace spillway
