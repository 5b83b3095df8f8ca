#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/attributes.h"
#include "core/element_type.h"
#include "core/units.h"

namespace spillway {

/// One array of a safetensors file: [begin, end) counts from the start of the data behind the header.
struct SafetensorsEntry {
  std::string name;
  ElementType type = ElementType::float32;
  Extents extents;
  Bytes begin, end;
  friend bool operator==(const SafetensorsEntry&, const SafetensorsEntry&) = default;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  ///< by `begin`
  std::map<std::string, std::string> metadata;
  friend bool operator==(const SafetensorsHeader&, const SafetensorsHeader&) = default;
};

/// The header as JSON text, without the length in front, padded with spaces to a multiple of 8 bytes as the format
/// recommends.
[[nodiscard]] std::string to_json(const SafetensorsHeader& header);

/// Reads the JSON text; `data` is how many bytes stand behind it. The entries must cover the data without holes or
/// overlaps. Throws Error (exit 2) of one line that starts with `file`: JSON pointer, found, expected.
[[nodiscard]] SafetensorsHeader parse_safetensors_header(std::string_view text, Bytes data, const std::string& file);

/// The format's name of a type: `F32`.
[[nodiscard]] std::string_view safetensors_name(ElementType type);

}  // namespace spillway
