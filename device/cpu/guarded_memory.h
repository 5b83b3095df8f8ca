#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/units.h"

namespace spillway {

/// Memory that is there: mapped on huge pages where the system has some, every page touched, with an inaccessible page
/// directly before and one directly behind. Its start is a multiple of 2 MiB; its end is rounded up to a page, so up to
/// a page behind `bytes` may be written unnoticed.
class GuardedMemory {
 public:
  GuardedMemory() = default;
  /// Throws Error (exit 3) that starts with `what` if the system doesn't give it. `touch`: false leaves the pages to
  /// the first writer.
  GuardedMemory(Bytes size, const std::string& what, bool touch = true);
  ~GuardedMemory();
  GuardedMemory(GuardedMemory&& other) noexcept;
  GuardedMemory& operator=(GuardedMemory&& other) noexcept;

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  void* mapping_ = nullptr;
  std::size_t mapped_ = 0;
  std::span<std::byte> bytes_;
};

}  // namespace spillway
