#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/attributes.h"
#include "core/element_type.h"
#include "executor/data/mapped_file.h"

namespace spillway {

/// NumPy's name of a type as it stands in a file: `<f4`.
[[nodiscard]] std::string_view npy_name(ElementType type);

/// An array of a .npy file, mapped for reading: little endian, C order (the last extent's elements lie beside each
/// other), format versions 1 to 3. Its bytes needn't be aligned to their type. Source: "A simple file format for NumPy
/// arrays", numpy.lib.format.
class NpyArray {
 public:
  /// Throws Error (exit 2) of one line when the file isn't such an array, has another type than the `accepted` ones or
  /// isn't as long as its shape says.
  NpyArray(const std::string& path, std::span<const ElementType> accepted);

  [[nodiscard]] ElementType type() const { return type_; }
  [[nodiscard]] const Extents& extents() const { return extents_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] const std::string& path() const { return file_.path(); }

 private:
  MappedFile file_;
  ElementType type_ = ElementType::float32;
  Extents extents_;
  std::span<const std::byte> bytes_;
};

/// Writes a version 1 file, atomically. Requires: as many bytes as the extents say. Throws as write_file_atomically
/// does.
void write_npy(const std::string& path, ElementType type, const Extents& extents, std::span<const std::byte> bytes);

/// For messages: `(1, 3, 96)`, one extent as `(5,)`.
[[nodiscard]] std::string shape_text(const Extents& extents);

}  // namespace spillway
