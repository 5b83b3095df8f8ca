#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace spillway {

/// A file's bytes, mapped for reading. Pages are read when they are touched, so a data set larger than memory can be
/// mapped. Whoever shortens the file meanwhile ends the process (SIGBUS): our own writers replace files, they don't
/// shorten them.
class MappedFile {
 public:
  /// Throws Error (exit 2) when the file can't be opened or isn't a regular file, exit 3 when it can't be mapped.
  explicit MappedFile(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::span<const std::byte> bytes_;
};

}  // namespace spillway
