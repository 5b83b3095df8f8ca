#include "core/io/safetensors_header.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "core/error.h"

namespace spillway {
namespace {

using Json = nlohmann::json;

constexpr std::array kTypes{ElementType::float32, ElementType::int32, ElementType::int64, ElementType::uint8};

/// Says where in which file something is wrong.
struct Place {
  const std::string& file;
  std::string pointer;

  [[nodiscard]] Place operator/(std::string_view key) const {
    std::string escaped;
    for (const char c : key) {
      if (c == '~')
        escaped += "~0";
      else if (c == '/')
        escaped += "~1";
      else
        escaped += c;
    }
    return {file, pointer + '/' + escaped};
  }
  [[noreturn]] void refuse(const std::string& found, const std::string& expected) const {
    throw input_error(file + ": " + (pointer.empty() ? "header" : pointer) + ": found " + found + ", expected " +
                      expected);
  }
};

/// A value as it stands in the file, cut to a line's length.
std::string shown(const Json& value) {
  // Text that isn't UTF-8 must not make the report of it fail.
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

/// nlohmann's reader keeps the last of two equal keys silently, so keys are looked at while they are read.
Json parse(std::string_view text, const std::string& file) {
  // The format wants the brace first, so that nobody skips a byte order mark and somebody else doesn't.
  if (!text.starts_with('{')) Place{file, ""}.refuse("no '{' at its first byte", "a JSON object");
  std::vector<std::set<std::string>> keys;
  const auto look = [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      Place{file, ""}.refuse("the name " + shown(value) + " twice", "each name once");
    }
    return true;
  };
  try {
    return Json::parse(text, look);
  } catch (const Json::parse_error& error) {
    Place{file, ""}.refuse("no JSON at byte " + std::to_string(error.byte), "a JSON object");
  } catch (const Json::out_of_range&) {
    Place{file, ""}.refuse("a number too large to represent", "whole numbers, 0 or above");
  }
}

std::int64_t whole_number(const Json& value, const Place& place) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > kLargest) {
    place.refuse(shown(value), "a whole number, 0 or above");
  }
  return value.get<std::int64_t>();
}

const Json& member(const Json& object, const std::string& key, const Place& place) {
  const auto found = object.find(key);
  if (found == object.end()) (place / key).refuse("nothing", "dtype, shape and data_offsets for each array");
  return *found;
}

ElementType read_type(const Json& value, const Place& place) {
  for (const ElementType type : kTypes) {
    if (value == safetensors_name(type)) return type;
  }
  place.refuse(shown(value), "\"F32\", \"I32\", \"I64\" or \"U8\"");
}

Extents read_extents(const Json& value, const Place& place) {
  if (!value.is_array()) place.refuse(shown(value), "a list of extents");
  Extents extents;
  for (std::size_t i = 0; i < value.size(); ++i) extents.push_back(whole_number(value[i], place / std::to_string(i)));
  return extents;
}

SafetensorsEntry read_entry(const std::string& name, const Json& value, Bytes data, const Place& place) {
  if (!value.is_object()) place.refuse(shown(value), "an object with dtype, shape and data_offsets");
  for (const auto& [key, ignored] : value.items()) {
    if (key != "dtype" && key != "shape" && key != "data_offsets") {
      (place / key).refuse("this key", "only dtype, shape and data_offsets");
    }
  }
  SafetensorsEntry entry;
  entry.name = name;
  entry.type = read_type(member(value, "dtype", place), place / "dtype");
  entry.extents = read_extents(member(value, "shape", place), place / "shape");
  const Json& offsets = member(value, "data_offsets", place);
  const Place at = place / "data_offsets";
  if (!offsets.is_array() || offsets.size() != 2) at.refuse(shown(offsets), "two offsets");
  entry.begin = {whole_number(offsets[0], at / "0")};
  entry.end = {whole_number(offsets[1], at / "1")};
  if (entry.begin > entry.end || entry.end > data) {
    at.refuse(shown(offsets),
              "two ascending offsets up to " + std::to_string(data.value) + ", the bytes of data in the file");
  }
  std::int64_t needed = size_of(entry.type).value;
  for (const std::int64_t extent : entry.extents) {
    if (__builtin_mul_overflow(needed, extent, &needed))
      (place / "shape").refuse("more elements than any file has", "fewer");
  }
  if ((entry.end - entry.begin).value != needed) {
    at.refuse(std::to_string((entry.end - entry.begin).value) + " bytes",
              std::to_string(needed) + " for this dtype and shape");
  }
  return entry;
}

void check_cover(const std::vector<SafetensorsEntry>& entries, Bytes data, const std::string& file) {
  Bytes covered;
  for (const SafetensorsEntry& entry : entries) {
    const Place place = Place{file, ""} / entry.name / "data_offsets";
    const std::string expected = std::to_string(covered.value) + ", where the array before it ends";
    if (entry.begin < covered)
      place.refuse("a begin of " + std::to_string(entry.begin.value) + " inside another array", expected);
    if (entry.begin > covered)
      place.refuse("a begin of " + std::to_string(entry.begin.value) + " behind a hole", expected);
    covered = entry.end;
  }
  if (covered != data) {
    Place{file, ""}.refuse(std::to_string(data.value) + " bytes of data",
                           std::to_string(covered.value) + ", where the last array ends");
  }
}

}  // namespace

std::string_view safetensors_name(ElementType type) {
  switch (type) {
    case ElementType::float32: return "F32";
    case ElementType::int32: return "I32";
    case ElementType::int64: return "I64";
    case ElementType::uint8: return "U8";
  }
  return "";
}

std::string to_json(const SafetensorsHeader& header) {
  Json json = Json::object();
  if (!header.metadata.empty()) json["__metadata__"] = header.metadata;
  for (const SafetensorsEntry& entry : header.entries) {
    json[entry.name] = {{"dtype", safetensors_name(entry.type)},
                        {"shape", entry.extents},
                        {"data_offsets", {entry.begin.value, entry.end.value}}};
  }
  std::string text = json.dump();
  text.resize(static_cast<std::size_t>(align_up({static_cast<std::int64_t>(text.size())}, {8}).value), ' ');
  return text;
}

SafetensorsHeader parse_safetensors_header(std::string_view text, Bytes data, const std::string& file) {
  const Json json = parse(text, file);
  if (!json.is_object()) Place{file, ""}.refuse(shown(json), "a JSON object");
  SafetensorsHeader header;
  for (const auto& [name, value] : json.items()) {
    const Place place = Place{file, ""} / name;
    if (name != "__metadata__") {
      header.entries.push_back(read_entry(name, value, data, place));
      continue;
    }
    if (!value.is_object()) place.refuse(shown(value), "an object of texts");
    for (const auto& [key, text_value] : value.items()) {
      if (!text_value.is_string()) (place / key).refuse(shown(text_value), "a text");
      header.metadata[key] = text_value.get<std::string>();
    }
  }
  // Empty arrays sort before the one that begins where they stand.
  std::ranges::sort(header.entries, {}, [](const SafetensorsEntry& e) { return std::tuple(e.begin, e.end, e.name); });
  check_cover(header.entries, data, file);
  return header;
}

}  // namespace spillway
