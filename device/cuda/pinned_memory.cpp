#include "device/cuda/pinned_memory.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "device/cpu/machine.h"
#include "device/cuda/cuda_call.h"

namespace spillway {
namespace {

constexpr std::size_t kPage = 4096;
constexpr int kMostThreads = 8;  // more don't touch pages faster: the kernel zeroes them under few locks

/// Preferred and not bound: when that node is full, slower memory is better than a process that is killed.
void prefer_node(void* memory, std::size_t size, int node) {
  constexpr int kBitsOfWord = 8 * sizeof(unsigned long);
  std::vector<unsigned long> nodes(static_cast<std::size_t>(node / kBitsOfWord) + 1, 0);
  nodes.back() = 1UL << (node % kBitsOfWord);
  // One bit more than there is: the kernel reads `maxnode - 1` bits.
  static_cast<void>(
      ::syscall(SYS_mbind, memory, size, MPOL_PREFERRED, nodes.data(), nodes.size() * kBitsOfWord + 1, 0UL));
}

/// The first write to a page is what takes it.
void touch(std::span<std::byte> memory) {
  const auto threads = static_cast<std::size_t>(std::clamp(cores(), 1, kMostThreads));
  const std::size_t share = (memory.size() / threads / kPage + 1) * kPage;
  std::vector<std::jthread> touching;
  for (std::size_t from = 0; from < memory.size(); from += share) {
    touching.emplace_back([part = memory.subspan(from, std::min(share, memory.size() - from))] {
      for (std::size_t at = 0; at < part.size(); at += kPage) part[at] = std::byte{0};
    });
  }
}

/// The limit on locked memory, where it may be why memory couldn't be pinned. It isn't refused beforehand: NVIDIA's
/// open kernel module pins pages without asking for it (kernel-open/nvidia/os-mlock.c).
std::string about_locked_memory(Bytes size) {
  rlimit locked{};
  if (::getrlimit(RLIMIT_MEMLOCK, &locked) != 0 || locked.rlim_cur == RLIM_INFINITY ||
      locked.rlim_cur >= static_cast<rlim_t>(size.value)) {
    return {};
  }
  return fmt::format(" (RLIMIT_MEMLOCK is {}: see 'ulimit -l')",
                     to_text(Bytes{static_cast<std::int64_t>(locked.rlim_cur)}));
}

}  // namespace

PinnedMemory::PinnedMemory(Bytes size, int numa_node, const std::string& what) {
  if (size.value == 0) return;
  const auto begun = std::chrono::steady_clock::now();
  const auto count = static_cast<std::size_t>(size.value);
  void* const memory = ::mmap(nullptr, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    throw machine_error(
        fmt::format("{}: {} can't be had from the system: {}", what, to_text(size), std::strerror(errno)));
  }
  bytes_ = {static_cast<std::byte*>(memory), count};
  if (numa_node >= 0) prefer_node(memory, count, numa_node);
  static_cast<void>(::madvise(memory, count, MADV_HUGEPAGE));  // fewer pages to touch and to pin, where there are some
  try {
    touch(bytes_);
    must(cudaHostRegister(memory, count, cudaHostRegisterDefault), "cudaHostRegister",
         fmt::format("{} of {}{}", what, to_text(size), about_locked_memory(size)));
  } catch (...) {
    ::munmap(memory, count);
    bytes_ = {};
    throw;
  }
  pinning_ = {std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()};
}

PinnedMemory::~PinnedMemory() {
  if (bytes_.empty()) return;
  ignore(cudaHostUnregister(bytes_.data()));
  ::munmap(bytes_.data(), bytes_.size());
}

PinnedMemory::PinnedMemory(PinnedMemory&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), pinning_(other.pinning_) {}

PinnedMemory& PinnedMemory::operator=(PinnedMemory&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(pinning_, other.pinning_);
  return *this;
}

int numa_node_of_pci(int domain, int bus, int device) {
  std::ifstream file(fmt::format("/sys/bus/pci/devices/{:04x}:{:02x}:{:02x}.0/numa_node", domain, bus, device));
  int node = -1;
  return file >> node ? node : -1;
}

}  // namespace spillway
