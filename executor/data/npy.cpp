#include "executor/data/npy.h"

#include <array>
#include <optional>

#include "core/error.h"
#include "core/io/atomic_file.h"
#include "executor/data/npy_header.h"

namespace spillway {
namespace {

std::string names_of(std::span<const ElementType> types) {
  std::string text;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i > 0) text += i + 1 == types.size() ? " or " : ", ";
    text += "'" + std::string(npy_name(types[i])) + "'";
  }
  return text;
}

ElementType accepted_type(const std::string& dtype, std::span<const ElementType> accepted, const std::string& file) {
  for (const ElementType type : accepted) {
    if (dtype == npy_name(type)) return type;
  }
  throw input_error(file + ": found dtype '" + dtype + "', expected " + names_of(accepted) + "; save array.astype('" +
                    std::string(npy_name(accepted.front())) + "')");
}

/// Empty: more than 64 bits can count.
std::optional<std::int64_t> bytes_of(ElementType type, const Extents& extents) {
  std::int64_t bytes = size_of(type).value;
  for (const std::int64_t extent : extents) {
    if (__builtin_mul_overflow(bytes, extent, &bytes)) return std::nullopt;
  }
  return bytes;
}

}  // namespace

std::string_view npy_name(ElementType type) {
  switch (type) {
    case ElementType::float32: return "<f4";
    case ElementType::int32: return "<i4";
    case ElementType::int64: return "<i8";
    case ElementType::uint8: return "|u1";
  }
  return "";
}

std::string shape_text(const Extents& extents) {
  std::string text = "(";
  for (std::size_t i = 0; i < extents.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(extents[i]);
  return text + (extents.size() == 1 ? ",)" : ")");
}

NpyArray::NpyArray(const std::string& path, std::span<const ElementType> accepted) : file_(path) {
  NpyHeader header = parse_npy_header(file_.bytes(), path);
  type_ = accepted_type(header.dtype, accepted, path);
  extents_ = std::move(header.extents);
  bytes_ = file_.bytes().subspan(header.data_begin);
  const std::optional<std::int64_t> needed = bytes_of(type_, extents_);
  if (!needed || static_cast<std::uint64_t>(*needed) != bytes_.size()) {
    throw input_error(path + ": found " + std::to_string(bytes_.size()) + " bytes of elements, expected " +
                      (needed ? std::to_string(*needed) : "2^63 or more") + " for dtype '" + header.dtype +
                      "' and shape " + shape_text(extents_));
  }
}

void write_npy(const std::string& path, ElementType type, const Extents& extents, std::span<const std::byte> bytes) {
  const std::optional<std::int64_t> needed = bytes_of(type, extents);
  SPILLWAY_CHECK(needed && static_cast<std::uint64_t>(*needed) == bytes.size(), path);
  constexpr std::size_t kAlignment = 64;  // of the first element, so that readers may map it
  constexpr std::size_t kBegin = 10;
  std::string header = "{'descr': '" + std::string(npy_name(type)) +
                       "', 'fortran_order': False, 'shape': " + shape_text(extents) + ", }";
  header.append(kAlignment - 1 - (kBegin + header.size()) % kAlignment, ' ');
  header += '\n';
  SPILLWAY_CHECK(header.size() <= 0xffff, path);
  std::string start = "\x93NUMPY";
  start += '\x01';
  start += '\0';
  start += static_cast<char>(header.size() & 0xff);
  start += static_cast<char>(header.size() >> 8);
  write_file_atomically(path, [&](FileWriter& file) {
    file.write(start + header);
    file.write(bytes);
  });
}

}  // namespace spillway
