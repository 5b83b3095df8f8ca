#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/units.h"

namespace spillway {

/// Facts in a fixed order, for `--json`: what a command also prints for people. Keys carry their unit.
class Report {
 public:
  void add(const std::string& key, std::string value) { put(key, std::move(value)); }
  void add(const std::string& key, const char* value) { put(key, std::string(value)); }
  void add(const std::string& key, double value) { put(key, value); }
  void add(const std::string& key, std::int64_t value) { put(key, value); }
  void add(const std::string& key, bool value) { put(key, value); }
  void add(const std::string& key, Bytes value) { put(key, value.value); }
  void add(const std::string& key, Seconds value) { put(key, value.value); }
  /// Printed with as many digits as tell a float from its neighbours.
  void add(const std::string& key, std::vector<float> values) { put(key, std::move(values)); }
  void add(const std::string& key, std::vector<Report> values) { put(key, std::move(values)); }

  /// One JSON object, indented.
  [[nodiscard]] std::string json() const;

 private:
  friend struct ReportWriter;
  using Value = std::variant<std::string, double, std::int64_t, bool, std::vector<float>, std::vector<Report>>;
  void put(const std::string& key, Value value) { items_.emplace_back(key, std::move(value)); }
  std::vector<std::pair<std::string, Value>> items_;
};

}  // namespace spillway
