#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// CUPTI's activity records without a GPU, as a library of its own that is loaded by its path, which is
// SPILLWAY_FAKE_CUPTI. Tests reach its state by `fake_cupti()`.

namespace spillway {

struct FakeCupti {
  struct Record {
    enum class Kind { concurrent_kernel, kernel, memset, incomplete };
    Kind kind = Kind::concurrent_kernel;
    const char* name = nullptr;
    std::uint64_t start = 0, end = 0;  ///< nanoseconds
  };

  std::uint32_t version = 0;  ///< 0: that of the header
  int enable_result = 0, flush_result = 0;
  /// What happens on the GPU each time that kernels are recorded. Handed over in buffers by another thread when
  /// flushed, the last buffer first.
  std::vector<Record> records;
  std::size_t dropped = 0;  ///< told once, beside records that found no buffer

  bool enabled = false;
  int observations = 0;  ///< times that recording was switched on
  int buffers = 0;       ///< handed back
};

}  // namespace spillway
