#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"

// Private to core/io: nobody else sees JSON.

namespace spillway {

using OrderedJson = nlohmann::ordered_json;

/// A value in a JSON file that knows where it stands. Every complaint is an Error (exit 2) of one line:
/// `FILE: /pointer: found X, expected Y`.
class JsonNode {
 public:
  JsonNode(const std::string& file, const OrderedJson& json, std::string pointer = "")
      : file_(&file), json_(&json), pointer_(std::move(pointer)) {}

  /// Refuses keys that aren't in `keys`, with a near miss.
  const JsonNode& only(std::initializer_list<std::string_view> keys) const;
  [[nodiscard]] JsonNode at(const std::string& key) const;
  [[nodiscard]] std::optional<JsonNode> find(const std::string& key) const;
  [[nodiscard]] std::vector<JsonNode> items() const;
  [[nodiscard]] std::vector<std::pair<std::string, JsonNode>> members() const;

  [[nodiscard]] std::string string() const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::int64_t integer(std::int64_t least = std::numeric_limits<std::int64_t>::min()) const;
  [[nodiscard]] double number() const;
  /// A number above zero.
  [[nodiscard]] double positive() const;
  /// A number of at least zero.
  [[nodiscard]] double not_negative() const;
  [[nodiscard]] Bytes bytes(std::int64_t least = 0) const { return {integer(least)}; }
  [[nodiscard]] std::vector<std::int64_t> integers(std::int64_t least) const;
  [[nodiscard]] std::vector<std::string> strings() const;

  [[noreturn]] void fail(const std::string& expected, const std::string& what_to_do = "") const;
  [[noreturn]] void fail_with(const std::string& complaint) const;
  [[nodiscard]] const std::string& file() const { return *file_; }

 private:
  const std::string* file_;
  const OrderedJson* json_;
  std::string pointer_;
};

/// Reads all of a file. Throws Error (exit 2) with the reason when it can't.
[[nodiscard]] std::string read_text(const std::string& path);
/// Parses text as JSON; a syntax error, a key that is there twice, or another format or version than asked for is an
/// Error (exit 2).
[[nodiscard]] OrderedJson parse_json(const std::string& text, const std::string& file);
void expect_format(const JsonNode& root, const std::string& format);
/// `spillway-trace`, or empty if this isn't one of ours.
[[nodiscard]] std::string format_of(const OrderedJson& json);

/// The text of a file: two spaces of indent, but each innermost array or object on one line.
[[nodiscard]] std::string to_file_text(const OrderedJson& json);

/// An enumerator by its spelling; the complaint lists all.
template <class Enum, std::size_t N>
Enum enumerator(const JsonNode& node, const std::pair<Enum, std::string_view> (&names)[N]) {
  const std::string text = node.string();
  std::string all;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  node.fail("one of " + all);
}
template <class Enum, std::size_t N>
std::string spelling(Enum value, const std::pair<Enum, std::string_view> (&names)[N]) {
  for (const auto& [candidate, name] : names) {
    if (candidate == value) return std::string(name);
  }
  return "?";
}

}  // namespace spillway
