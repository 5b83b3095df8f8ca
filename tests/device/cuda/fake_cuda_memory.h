#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace spillway {

/// What the fake GPU can reach: its own memory, and host memory that was registered.
class FakeMemory {
 public:
  enum class Where { device, registered, elsewhere };

  FakeMemory() = default;
  ~FakeMemory();
  FakeMemory(const FakeMemory&) = delete;
  FakeMemory& operator=(const FakeMemory&) = delete;

  /// A mapping of its own for each allocation, filled with 0xff (as float and double: not a number). Its end, rounded
  /// up to 256 bytes, touches an inaccessible page; AddressSanitizer knows the exact bounds. `capacity` is what this
  /// GPU has in all.
  [[nodiscard]] cudaError_t allocate(void** memory, std::size_t size, int gpu, std::size_t capacity,
                                     std::uint64_t call);
  [[nodiscard]] cudaError_t free(void* memory);
  [[nodiscard]] cudaError_t add_registration(void* memory, std::size_t size, std::uint64_t call);
  [[nodiscard]] cudaError_t remove_registration(void* memory);

  /// Where all these bytes are: in one allocation, in one registration, or not so.
  [[nodiscard]] Where where(const void* memory, std::size_t size) const;
  [[nodiscard]] std::size_t used(int gpu) const;
  [[nodiscard]] std::vector<std::string> leaks() const;

 private:
  struct Range {
    std::size_t size = 0;
    std::uint64_t call = 0;  ///< that made it
    int gpu = 0;             ///< that it is on
    void* mapping = nullptr;
    std::size_t mapped = 0;
  };
  using Ranges = std::map<std::uintptr_t, Range>;  ///< by first address
  static const Ranges::value_type* overlapping(const Ranges& ranges, std::uintptr_t first, std::size_t size);
  static void unmap(Ranges::value_type& allocation);

  Ranges allocations_, registrations_;
  std::map<int, std::size_t> used_;  ///< by GPU
};

}  // namespace spillway
