#include "tests/models/reference.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace spillway {

namespace {

using Json = nlohmann::json;

std::vector<ReferenceTensor> read_tensors(const Json& json) {
  std::vector<ReferenceTensor> tensors;
  for (const Json& row : json) {
    tensors.push_back({row.at("name"), row.at("elements"), row.at("norm"), row.at("float32_error"), row.at("entries")});
  }
  return tensors;
}

/// Which element the `j`-th of `count` entries is, of a tensor with `elements`.
std::size_t element_of(std::uint64_t j, std::size_t count, std::size_t elements) {
  if (count == elements) return j;
  return ((j * 2654435769U) & 0xffffffffU) * elements >> 32;
}

}  // namespace

Reference read_reference(const std::string& name) {
  std::ifstream file(std::string(SPILLWAY_SOURCE_DIR) + "/tests/data/gradients/" + name + ".json");
  SPILLWAY_CHECK(file.good(), name);
  const Json json = Json::parse(file);
  Reference reference;
  reference.model = json.at("model");
  for (const auto& [key, value] : json.at("settings").items())
    reference.settings.push_back(key + "=" + value.get<std::string>());
  reference.batch = json.at("batch");
  reference.loss = json.at("loss");
  reference.loss_float32 = json.at("loss_float32");
  reference.gradients = read_tensors(json.at("gradients"));
  for (const Json& training : json.at("trainings")) {
    reference.trainings.push_back({training.at("optimizer"), training.at("learning_rate"), training.at("losses"),
                                   training.at("loss_float32_errors"), read_tensors(training.at("changes"))});
  }
  return reference;
}

double distance(const std::vector<float>& values, const ReferenceTensor& reference, double largest) {
  if (values.size() != reference.elements) return std::numeric_limits<double>::infinity();
  double squares = 0, squared_difference = 0;
  for (const double value : values) squares += value * value;
  const std::size_t count = reference.entries.size();
  for (std::size_t j = 0; j < count; ++j) {
    const double difference = static_cast<double>(values[element_of(j, count, values.size())]) - reference.entries[j];
    squared_difference += difference * difference;
  }
  const double estimate =
      std::sqrt(squared_difference * static_cast<double>(values.size()) / static_cast<double>(count));
  const double of_norms = std::abs(std::sqrt(squares) - reference.norm);
  const double worse = std::max(estimate, of_norms) / (reference.norm + 1e-3 * largest);
  return std::isnan(worse) ? std::numeric_limits<double>::infinity() : worse;
}

double largest_norm(const std::vector<ReferenceTensor>& tensors) {
  double largest = 0;
  for (const ReferenceTensor& tensor : tensors) largest = std::max(largest, tensor.norm);
  return largest;
}

}  // namespace spillway
