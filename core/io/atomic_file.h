#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace spillway {

/// Where the content of a file goes while it is written.
class FileWriter {
 public:
  virtual ~FileWriter() = default;
  /// Appends all of `bytes`. Throws Error (exit 3) naming file and reason when the machine refuses.
  virtual void write(std::span<const std::byte> bytes) = 0;
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
};

/// Writes a file so that `path` names either what it named before or the whole new content, whatever fails between: the
/// content goes to a temporary name in the same directory, is synced, and renamed; then the directory is synced. When
/// anything throws, `content` included, the temporary file is removed. A symbolic link is followed. What isn't a
/// regular file (a terminal, /dev/null) is written to directly, since it can't be replaced.
///
/// Throws Error: exit 2 when the directory doesn't exist or `path` is one, exit 3 for all else (disk full, no
/// permission).
void write_file_atomically(const std::string& path, const std::function<void(FileWriter&)>& content);
void write_file_atomically(const std::string& path, std::string_view content);

}  // namespace spillway
