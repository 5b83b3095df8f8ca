#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/attributes.h"
#include "core/element_type.h"
#include "executor/data/mapped_file.h"

namespace spillway {

/// An array with a name; it doesn't own its bytes. C order.
struct NamedArray {
  std::string name;
  ElementType type = ElementType::float32;
  Extents extents;
  std::span<const std::byte> bytes;
};

using Metadata = std::map<std::string, std::string>;

/// Writes a .safetensors file, atomically. Arrays of wider elements come first, so that all are aligned to their type;
/// else the order stays. Requires: each name once and not `__metadata__`, as many bytes as the extents say. Throws as
/// write_file_atomically does; then the file is what it was before.
void write_safetensors(const std::string& path, std::span<const NamedArray> arrays, const Metadata& metadata);

/// A .safetensors file, mapped for reading. Types: F32, I32, I64, U8.
class SafetensorsFile {
 public:
  /// Throws Error (exit 2) of one line (file, place, found, expected) when the file isn't well-formed.
  explicit SafetensorsFile(const std::string& path);

  /// In file order; the bytes live as long as this object, or what it was moved to.
  [[nodiscard]] const std::vector<NamedArray>& arrays() const { return arrays_; }
  /// The array of this name, or null.
  [[nodiscard]] const NamedArray* find(std::string_view name) const;
  [[nodiscard]] const Metadata& metadata() const { return metadata_; }
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  MappedFile file_;
  std::vector<NamedArray> arrays_;
  std::map<std::string, std::size_t, std::less<>> index_;
  Metadata metadata_;
};

}  // namespace spillway
