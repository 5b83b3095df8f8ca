#include "tests/device/cuda/fake_cuda_memory.h"

#include <fmt/format.h>
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <iterator>

namespace spillway {
namespace {

constexpr std::size_t kAlignment = 256;  // cudaMalloc's

std::size_t round_up(std::size_t size, std::size_t unit) {
  return (size + unit - 1) / unit * unit;
}
std::uintptr_t address_of(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory);
}

/// Unseen by ThreadSanitizer, whose shadow of a GPU's memory would be four times as large.
__attribute__((no_sanitize("thread"))) void poison(std::byte* memory, std::size_t size) {
  auto* const words = reinterpret_cast<volatile std::uint64_t*>(memory);
  for (std::size_t i = 0; i < size / sizeof *words; ++i) words[i] = ~std::uint64_t{0};
}

}  // namespace

FakeMemory::~FakeMemory() {
  for (auto& allocation : allocations_) unmap(allocation);
}

cudaError_t FakeMemory::allocate(void** memory, std::size_t size, int gpu, std::size_t capacity, std::uint64_t call) {
  if (memory == nullptr) return cudaErrorInvalidValue;
  if (size == 0) {
    *memory = nullptr;
    return cudaSuccess;
  }
  if (size > capacity || round_up(size, kAlignment) > capacity - used(gpu)) return cudaErrorMemoryAllocation;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t taken = round_up(size, kAlignment), usable = round_up(taken, page);
  Range range{.size = size, .call = call, .gpu = gpu, .mapping = nullptr, .mapped = page + usable + page};
  range.mapping = mmap(nullptr, range.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range.mapping == MAP_FAILED) return cudaErrorMemoryAllocation;
  auto* const usable_start = static_cast<std::byte*>(range.mapping) + page;
  if (mprotect(usable_start, usable, PROT_READ | PROT_WRITE) != 0) {
    munmap(range.mapping, range.mapped);
    return cudaErrorMemoryAllocation;
  }
  // At the end and not at the start: overruns are the likelier mistake.
  std::byte* const start = usable_start + (usable - taken);
  poison(usable_start, usable);
  ASAN_POISON_MEMORY_REGION(usable_start, usable);
  ASAN_UNPOISON_MEMORY_REGION(start, size);
  allocations_.emplace(address_of(start), range);
  used_[gpu] += taken;
  *memory = start;
  return cudaSuccess;
}

std::size_t FakeMemory::used(int gpu) const {
  const auto found = used_.find(gpu);
  return found == used_.end() ? 0 : found->second;
}

void FakeMemory::unmap(Ranges::value_type& allocation) {
  ASAN_UNPOISON_MEMORY_REGION(allocation.second.mapping, allocation.second.mapped);
  munmap(allocation.second.mapping, allocation.second.mapped);
}

cudaError_t FakeMemory::free(void* memory) {
  if (memory == nullptr) return cudaSuccess;  // documented: no operation
  const auto allocation = allocations_.find(address_of(memory));
  if (allocation == allocations_.end()) return cudaErrorInvalidValue;
  used_[allocation->second.gpu] -= round_up(allocation->second.size, kAlignment);
  unmap(*allocation);
  allocations_.erase(allocation);
  return cudaSuccess;
}

cudaError_t FakeMemory::add_registration(void* memory, std::size_t size, std::uint64_t call) {
  if (memory == nullptr || size == 0) return cudaErrorInvalidValue;
  const std::uintptr_t first = address_of(memory);
  if (overlapping(allocations_, first, size) != nullptr) return cudaErrorInvalidValue;
  if (overlapping(registrations_, first, size) != nullptr) return cudaErrorHostMemoryAlreadyRegistered;
  registrations_.emplace(first, Range{.size = size, .call = call, .gpu = 0, .mapping = nullptr, .mapped = 0});
  return cudaSuccess;
}

cudaError_t FakeMemory::remove_registration(void* memory) {
  if (memory == nullptr) return cudaErrorInvalidValue;
  return registrations_.erase(address_of(memory)) == 1 ? cudaSuccess : cudaErrorHostMemoryNotRegistered;
}

const FakeMemory::Ranges::value_type* FakeMemory::overlapping(const Ranges& ranges, std::uintptr_t first,
                                                              std::size_t size) {
  auto after = ranges.lower_bound(first);
  if (after != ranges.end() && after->first - first < size) return &*after;
  if (after == ranges.begin()) return nullptr;
  const auto before = std::prev(after);
  return first - before->first < before->second.size ? &*before : nullptr;
}

FakeMemory::Where FakeMemory::where(const void* memory, std::size_t size) const {
  const std::uintptr_t first = address_of(memory);
  const auto inside = [&](const Ranges& ranges) {
    const Ranges::value_type* const range = overlapping(ranges, first, size);
    if (range == nullptr || first < range->first) return false;
    const std::size_t before = first - range->first;
    return size <= range->second.size - before;
  };
  if (inside(allocations_)) return Where::device;
  if (inside(registrations_)) return Where::registered;
  return Where::elsewhere;
}

std::vector<std::string> FakeMemory::leaks() const {
  std::vector<std::string> found;
  for (const auto& [first, range] : allocations_)
    found.push_back(fmt::format("device memory of {} bytes made by call {}", range.size, range.call));
  for (const auto& [first, range] : registrations_)
    found.push_back(fmt::format("registration of {} bytes made by call {}", range.size, range.call));
  return found;
}

}  // namespace spillway
