#include "core/io/platform_setting.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/io/parts.h"

namespace spillway {
namespace {

constexpr const char* kSource = "set on the command line";
constexpr const char* kBandwidth = "bandwidth_bytes_per_second";
constexpr const char* kFlops = "flops_per_second";

/// Keys that a file may lack, by the object that may have them; all are rates.
const std::map<std::string, std::vector<std::string>>& optional_rates() {
  static const std::map<std::string, std::vector<std::string>> keys{{"host_link", {"both"}},
                                                                    {"gpu", {"tf32", "fp16", "memory_measured"}},
                                                                    {"uplink", {"both"}},
                                                                    {"sockets", {"link"}},
                                                                    {"gpu_links", {"rate", "all_reduce"}}};
  return keys;
}

std::vector<std::string> optional_rates(const std::string& where) {
  const auto found = optional_rates().find(where);
  return found == optional_rates().end() ? std::vector<std::string>() : found->second;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

/// Has a rate each way, which one setting may set together.
bool has_two_ways(const std::string& where) {
  return where == "host_link" || where == "uplink";
}

class Setting {
 public:
  Setting(OrderedJson& json, const std::string& what) : what_(what), at_(&json) {}

  /// Goes into the member `key`.
  void enter(const std::string& key) {
    OrderedJson* member = find(key);
    if (member == nullptr) {
      if (!has(optional_rates(where_), key)) fail_at(key);
      const bool computes = key == "tf32" || key == "fp16";
      member = &((*at_)[key] = OrderedJson{{computes ? kFlops : kBandwidth, nullptr}, {"source", ""}});
    }
    at_ = member;
    where_ += where_.empty() ? key : "." + key;
  }

  void set(const std::string& key, const std::string& value) {
    if (key == kBandwidth && has_two_ways(where_)) {
      for (const char* way : {"in", "out"}) (*at_)[way] = rate(value);
      at_->erase("both");
      return;
    }
    const bool may_be_absent = key == "start_source" && at_->is_object() && at_->contains("start_seconds");
    const OrderedJson* member = find(key);
    if (member == nullptr && !may_be_absent) fail_at(key);
    if (member != nullptr && member->is_structured()) {
      const std::string path = where_.empty() ? key : where_ + "." + key;
      throw input_error(fmt::format("{}: '{}' has no value of its own, expected one of its keys: {}", what_, path,
                                    fmt::join(keys(*member, path), ", ")));
    }
    OrderedJson read_value = read(key, value, member == nullptr ? OrderedJson("") : *member);
    (*at_)[key] = std::move(read_value);
    if (where_ == "gpu_links" && key == "kind") fit_to_kind(value);
  }

 private:
  const std::string& what_;
  OrderedJson* at_;
  std::string where_;  ///< the path of `at_`

  OrderedJson* find(const std::string& key) {
    if (at_->is_object()) {
      const auto member = at_->find(key);
      return member == at_->end() ? nullptr : &*member;
    }
    if (!at_->is_array()) return nullptr;
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    const bool good = error == std::errc() && end == key.data() + key.size() && index < at_->size();
    return good ? &(*at_)[index] : nullptr;
  }

  [[nodiscard]] static std::vector<std::string> keys(const OrderedJson& json, const std::string& where) {
    std::vector<std::string> names;
    if (json.is_array()) {
      for (std::size_t i = 0; i < json.size(); ++i) names.push_back(std::to_string(i));
      return names;
    }
    for (const auto& [key, value] : json.items()) names.push_back(key);
    for (const std::string& key : optional_rates(where)) {
      if (!has(names, key)) names.push_back(key);
    }
    if (json.contains("start_seconds") && !has(names, "start_source")) names.emplace_back("start_source");
    if (has_two_ways(where)) names.emplace_back(kBandwidth);
    return names;
  }

  /// What only another kind of GPU links has goes, or every change of kind would be refused.
  void fit_to_kind(const std::string& kind) {
    if (kind != "bricks") at_->erase("bricks");
    if (kind == "bricks" && !at_->contains("bricks")) (*at_)["bricks"] = OrderedJson::array();
    if (kind == "host") at_->erase("rate");
  }

  [[noreturn]] void fail_at(const std::string& key) const {
    const std::string place = where_.empty() ? "the platform" : "'" + where_ + "'";
    if (!at_->is_structured()) {
      throw input_error(fmt::format("{}: found the key '{}', but {} is a value and has none", what_, key, place));
    }
    const std::vector<std::string> names = keys(*at_, where_);
    const std::string near = nearest_name(key, names);
    throw input_error(fmt::format("{}: found the key '{}', {} has {}{}", what_, key, place, fmt::join(names, ", "),
                                  near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }

  [[nodiscard]] OrderedJson rate(const std::string& value) const {
    return {{kBandwidth, parse_rate(value, what_).value}, {"source", kSource}};
  }

  /// `value` as `key` has it; a figure's source is set too.
  [[nodiscard]] OrderedJson read(const std::string& key, const std::string& value, const OrderedJson& before) {
    const auto stem = [&](const std::string& unit) { return key.substr(0, key.size() - unit.size()); };
    if (key == kBandwidth || key == kFlops) {
      const double number = key == kBandwidth ? parse_rate(value, what_).value : positive(value);
      (*at_)["source"] = kSource;
      return number;
    }
    if (key.ends_with("_bytes")) {
      (*at_)[stem("_bytes") + "_source"] = kSource;
      return parse_bytes(value, what_).value;
    }
    if (key.ends_with("_seconds")) {
      (*at_)[stem("_seconds") + "_source"] = kSource;
      return parse_seconds(value, what_).value;
    }
    if (before.is_boolean()) {
      if (value != "true" && value != "false")
        throw input_error(fmt::format("{}: found '{}', expected true or false", what_, value));
      return value == "true";
    }
    if (before.is_number_integer()) return integer(value);
    if (before.is_number()) return positive(value);
    return value;
  }

  [[nodiscard]] double positive(const std::string& value) const {
    double number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || !(number > 0) || !std::isfinite(number))
      throw input_error(fmt::format("{}: found '{}', expected a number above 0 such as 15.7e12", what_, value));
    return number;
  }

  [[nodiscard]] std::int64_t integer(const std::string& value) const {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size())
      throw input_error(fmt::format("{}: found '{}', expected a whole number", what_, value));
    return number;
  }
};

}  // namespace

Platform with_setting(const Platform& platform, const std::string& path, const std::string& value,
                      const std::string& what) {
  OrderedJson json = platform_to_json(platform);
  Setting setting(json, what);
  std::size_t start = 0;
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', start)) {
    setting.enter(path.substr(start, dot - start));
    start = dot + 1;
  }
  setting.set(path.substr(start), value);
  return platform_from_json(JsonNode(what, json));
}

}  // namespace spillway
