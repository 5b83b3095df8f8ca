#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/units.h"

namespace spillway {

/// Host memory that the GPU copies from and to by itself: mapped, preferably on the GPU's own NUMA node, touched by
/// several threads, then registered with CUDA. cudaHostAlloc would touch and pin the pages in one go, so that they
/// could no longer be placed.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  /// `numa_node` below 0: the system chooses. Throws Error (exit 3) that starts with `what` when the system doesn't
  /// give or CUDA doesn't pin it.
  PinnedMemory(Bytes size, int numa_node, const std::string& what);
  ~PinnedMemory();
  PinnedMemory(PinnedMemory&& other) noexcept;
  PinnedMemory& operator=(PinnedMemory&& other) noexcept;

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  /// What mapping, touching and pinning took.
  [[nodiscard]] Seconds pinning() const { return pinning_; }

 private:
  std::span<std::byte> bytes_;
  Seconds pinning_;
};

/// The NUMA node of a PCI device, as the system tells it; -1 where it doesn't.
[[nodiscard]] int numa_node_of_pci(int domain, int bus, int device);

}  // namespace spillway
