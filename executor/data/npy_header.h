#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/attributes.h"

namespace spillway {

/// What stands before the elements of a .npy file.
struct NpyHeader {
  std::string dtype;  ///< as in the file: `<f4`
  Extents extents;
  std::size_t data_begin = 0;  ///< bytes from the file's start to the first element
};

/// Reads the header of a file that starts with `bytes`. Fortran order is refused.
/// Throws Error (exit 2) of one line: `file`, byte, found, expected.
[[nodiscard]] NpyHeader parse_npy_header(std::span<const std::byte> bytes, const std::string& file);

}  // namespace spillway
