#include "core/io/report.h"

#include <fmt/format.h>

#include "core/io/json_node.h"

namespace spillway {

struct ReportWriter {
  static OrderedJson json(const Report& report) {
    OrderedJson object = OrderedJson::object();
    for (const auto& [key, value] : report.items_)
      object[key] = std::visit([](const auto& v) { return json_of(v); }, value);
    return object;
  }
  static OrderedJson json_of(const std::vector<Report>& values) {
    OrderedJson array = OrderedJson::array();
    for (const Report& value : values) array.push_back(json(value));
    return array;
  }
  static OrderedJson json_of(const std::vector<float>& values) {
    OrderedJson array = OrderedJson::array();
    // Through the shortest text that reads back as the same float, else 0.1f prints as 0.10000000149011612.
    for (const float value : values) array.push_back(std::stod(fmt::format("{}", value)));
    return array;
  }
  template <class T>
  static OrderedJson json_of(const T& value) {
    return value;
  }
};

std::string Report::json() const {
  return to_file_text(ReportWriter::json(*this));
}

}  // namespace spillway
