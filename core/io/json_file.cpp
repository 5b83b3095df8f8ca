#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>

#include "core/error.h"
#include "core/io/json_node.h"

namespace spillway {
namespace {

/// The value as a person would quote it, cut when long.
std::string quoted(const OrderedJson& json) {
  std::string text = json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  if (text.starts_with('"')) {
    text.front() = '\'';
    if (text.ends_with('"')) text.back() = '\'';
  }
  return text;
}

/// A key as a JSON pointer has it (RFC 6901, section 3).
std::string escaped(const std::string& key) {
  std::string text;
  for (const char c : key) text += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  return text;
}

/// Keys and names may hold line ends; a complaint is one line all the same.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' '; }, ' ');
  return text;
}

}  // namespace

void JsonNode::fail(const std::string& expected, const std::string& what_to_do) const {
  fail_with(
      fmt::format("found {}, expected {}{}{}", quoted(*json_), expected, what_to_do.empty() ? "" : "; ", what_to_do));
}

void JsonNode::fail_with(const std::string& complaint) const {
  throw input_error(fmt::format("{}: {}", *file_, one_line((pointer_.empty() ? "/" : pointer_) + ": " + complaint)));
}

const JsonNode& JsonNode::only(std::initializer_list<std::string_view> keys) const {
  if (!json_->is_object()) fail("an object");
  for (const auto& [key, value] : json_->items()) {
    if (std::ranges::find(keys, key) != keys.end()) continue;
    const std::vector<std::string> known(keys.begin(), keys.end());
    const std::string near = nearest_name(key, known);
    fail_with(fmt::format("found the key '{}', expected one of {}{}", key, fmt::join(known, ", "),
                          near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  return *this;
}

std::optional<JsonNode> JsonNode::find(const std::string& key) const {
  if (!json_->is_object()) fail("an object");
  const auto member = json_->find(key);
  if (member == json_->end()) return std::nullopt;
  return JsonNode(*file_, *member, pointer_ + "/" + escaped(key));
}

JsonNode JsonNode::at(const std::string& key) const {
  const std::optional<JsonNode> member = find(key);
  if (!member) fail_with(fmt::format("found no key '{}', expected one", key));
  return *member;
}

std::vector<JsonNode> JsonNode::items() const {
  if (!json_->is_array()) fail("an array");
  std::vector<JsonNode> all;
  for (std::size_t i = 0; i < json_->size(); ++i)
    all.emplace_back(*file_, (*json_)[i], fmt::format("{}/{}", pointer_, i));
  return all;
}

std::vector<std::pair<std::string, JsonNode>> JsonNode::members() const {
  if (!json_->is_object()) fail("an object");
  std::vector<std::pair<std::string, JsonNode>> all;
  for (const auto& [key, value] : json_->items())
    all.emplace_back(key, JsonNode(*file_, value, pointer_ + "/" + escaped(key)));
  return all;
}

std::string JsonNode::string() const {
  if (!json_->is_string()) fail("a string");
  return json_->get<std::string>();
}

bool JsonNode::boolean() const {
  if (!json_->is_boolean()) fail("true or false");
  return json_->get<bool>();
}

std::int64_t JsonNode::integer(std::int64_t least) const {
  const bool any = least == std::numeric_limits<std::int64_t>::min();
  const std::string expected = any ? "an integer" : fmt::format("an integer of at least {}", least);
  if (!json_->is_number_integer()) fail(expected);
  if (json_->is_number_unsigned() &&
      json_->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    fail(expected + " below 2^63");
  }
  const auto value = json_->get<std::int64_t>();
  if (value < least) fail(expected);
  return value;
}

double JsonNode::number() const {
  if (!json_->is_number()) fail("a number");
  return json_->get<double>();
}

double JsonNode::positive() const {
  if (!json_->is_number() || !(json_->get<double>() > 0)) fail("a number above 0");
  return json_->get<double>();
}

double JsonNode::not_negative() const {
  if (!json_->is_number() || !(json_->get<double>() >= 0)) fail("a number of at least 0");
  return json_->get<double>();
}

std::vector<std::int64_t> JsonNode::integers(std::int64_t least) const {
  std::vector<std::int64_t> all;
  for (const JsonNode& item : items()) all.push_back(item.integer(least));
  return all;
}

std::vector<std::string> JsonNode::strings() const {
  std::vector<std::string> all;
  for (const JsonNode& item : items()) all.push_back(item.string());
  return all;
}

std::string read_text(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw input_error(fmt::format("{}: can't be read: {}", path, std::strerror(errno)));
  std::string text;
  std::vector<char> chunk(1U << 20U);
  while (const std::size_t got = std::fread(chunk.data(), 1, chunk.size(), file.get())) text.append(chunk.data(), got);
  if (std::ferror(file.get())) throw input_error(fmt::format("{}: can't be read: {}", path, std::strerror(errno)));
  return text;
}

OrderedJson parse_json(const std::string& text, const std::string& file) {
  // The library lets the last of two equal keys win; a hand-edited file deserves to hear about it.
  std::vector<std::set<std::string>> keys;
  std::string twice;
  const auto watch = [&](int, OrderedJson::parse_event_t event, OrderedJson& parsed) {
    if (event == OrderedJson::parse_event_t::object_start) keys.emplace_back();
    if (event == OrderedJson::parse_event_t::object_end) keys.pop_back();
    if (event == OrderedJson::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
      twice = parsed.get<std::string>();
    }
    return true;
  };
  try {
    OrderedJson json = OrderedJson::parse(text, watch);
    if (!twice.empty())
      throw input_error(
          fmt::format("{}: found the key '{}' twice in one object, expected it once", file, one_line(twice)));
    return json;
  } catch (const OrderedJson::parse_error& error) {
    const std::size_t end = std::min(text.size(), error.byte > 0 ? error.byte - 1 : 0);
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n') + 1;
    const std::size_t start = text.rfind('\n', end == 0 ? 0 : end - 1);
    const std::size_t column = end - (start == std::string::npos ? 0 : start + 1) + 1;
    throw input_error(
        end >= text.size()
            ? fmt::format("{}: line {}: the file ends in the middle of the JSON; is it cut off?", file, line)
            : fmt::format("{}: line {}, column {}: found something that isn't JSON", file, line, column));
  } catch (const OrderedJson::exception& error) {
    throw input_error(fmt::format("{}: isn't JSON that can be read: {}", file, error.what()));
  }
}

std::string format_of(const OrderedJson& json) {
  if (!json.is_object() || !json.contains("format") || !json["format"].is_string()) return "";
  return json["format"].get<std::string>();
}

void expect_format(const JsonNode& root, const std::string& format) {
  const std::optional<JsonNode> found = root.find("format");
  if (!found) root.fail_with(fmt::format("found no key 'format', expected \"format\": \"{}\"", format));
  if (found->string() != format) found->fail(fmt::format("'{}'", format));
  if (root.at("version").integer() != 1) root.at("version").fail("1", "the file is from another version of Spillway");
}

namespace {

bool is_flat(const OrderedJson& json) {
  return std::ranges::none_of(json, [](const OrderedJson& item) {
    return item.is_object() || (item.is_array() && std::ranges::any_of(item, [](const OrderedJson& inner) {
                                  return inner.is_structured();
                                }));
  });
}

void write_value(const OrderedJson& json, std::size_t indent, std::string& text) {
  if (!json.is_structured() || json.empty() || is_flat(json)) {
    // dump() writes no spaces behind commas and colons; a person reads these lines.
    if (!json.is_structured() || json.empty()) {
      text += json.dump();
      return;
    }
    text += json.is_array() ? "[" : "{";
    bool first = true;
    for (const auto& [key, value] : json.items()) {
      if (!first) text += ", ";
      first = false;
      if (json.is_object()) text += OrderedJson(key).dump() + ": ";
      write_value(value, indent, text);
    }
    text += json.is_array() ? "]" : "}";
    return;
  }
  text += json.is_array() ? "[\n" : "{\n";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    if (!first) text += ",\n";
    first = false;
    text.append(indent + 2, ' ');
    if (json.is_object()) text += OrderedJson(key).dump() + ": ";
    write_value(value, indent + 2, text);
  }
  text += '\n';
  text.append(indent, ' ');
  text += json.is_array() ? "]" : "}";
}

}  // namespace

std::string to_file_text(const OrderedJson& json) {
  std::string text;
  write_value(json, 0, text);
  text += '\n';
  return text;
}

}  // namespace spillway
