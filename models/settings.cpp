#include "models/settings.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {

namespace {

template <class Number>
std::optional<Number> read_whole(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

ModelSettings parse_settings(const std::vector<std::string>& pairs) {
  ModelSettings settings;
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw input_error(fmt::format("--set: found '{}', expected KEY=VALUE", pair));
    }
    const std::string key = pair.substr(0, equals);
    if (!settings.values.emplace(key, pair.substr(equals + 1)).second) {
      throw input_error(fmt::format("--set: '{}' is set twice", key));
    }
  }
  return settings;
}

SettingsReader::SettingsReader(std::string model, const ModelSettings& settings,
                               const std::vector<SettingDescription>& descriptions)
    : model_(std::move(model)) {
  std::vector<std::string> names;
  for (const SettingDescription& description : descriptions) {
    names.push_back(description.name);
    values_[description.name] = description.default_value;
  }
  for (const auto& [key, value] : settings.values) {
    const auto found = values_.find(key);
    if (found == values_.end()) {
      const std::string near = nearest_name(key, names);
      refuse(key, near.empty() ? fmt::format("no such setting; it has {}", fmt::join(names, ", "))
                               : fmt::format("no such setting; did you mean '{}'?", near));
    }
    found->second = value;
    set_[key] = true;
  }
}

bool SettingsReader::is_set(const std::string& name) const {
  return set_.contains(name);
}

std::int64_t SettingsReader::whole_number(const std::string& name, std::int64_t low, std::int64_t high) const {
  const std::string& text = values_.at(name);
  const auto value = read_whole<std::int64_t>(text);
  if (!value || *value < low || *value > high) {
    refuse(name, fmt::format("found '{}', expected a whole number from {} to {}", text, low, high));
  }
  return *value;
}

double SettingsReader::number(const std::string& name, double low, double high) const {
  const std::string& text = values_.at(name);
  const auto value = read_whole<double>(text);
  if (!value || !std::isfinite(*value) || *value < low || *value >= high) {
    refuse(name, fmt::format("found '{}', expected a number from {} to below {}", text, low, high));
  }
  return *value;
}

Extents SettingsReader::extents(const std::string& name, std::size_t dimensions) const {
  const std::string& text = values_.at(name);
  Extents result;
  std::size_t first = 0;
  while (first <= text.size()) {
    const std::size_t end = std::min(text.find('x', first), text.size());
    const auto value = read_whole<std::int64_t>(text.substr(first, end - first));
    result.push_back(value && *value >= 1 && *value <= 4096 ? *value : 0);
    first = end + 1;
  }
  bool good = result.size() == dimensions;
  for (const std::int64_t extent : result) good = good && extent > 0;
  if (!good)
    refuse(name, fmt::format("found '{}', expected {} whole numbers from 1 to 4096 with x between", text, dimensions));
  return result;
}

void SettingsReader::refuse(const std::string& name, const std::string& text) const {
  throw input_error(fmt::format("model '{}': {}: {}", model_, name, text));
}

}  // namespace spillway
