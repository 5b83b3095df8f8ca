#include "device/cpu/guarded_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

namespace spillway {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
#ifdef MADV_POPULATE_WRITE
constexpr int kPopulateWrite = MADV_POPULATE_WRITE;
#else
constexpr int kPopulateWrite = 23;  // Linux 5.14; older headers lack it
#endif

std::size_t round_up(std::size_t size, std::size_t unit) {
  return (size + unit - 1) / unit * unit;
}

/// Makes every page present. Throws Error (exit 3) when the system has none left.
void touch_pages(std::byte* start, std::size_t size, std::size_t page, const std::string& what) {
  if (madvise(start, size, kPopulateWrite) == 0) return;
  if (errno == ENOMEM || errno == EFAULT) {
    throw machine_error(fmt::format("{}: the system ran out of memory while making its pages ready", what));
  }
  for (std::size_t offset = 0; offset < size; offset += page) {
    *const_cast<volatile std::byte*>(start + offset) = std::byte{0};
  }
}

}  // namespace

GuardedMemory::GuardedMemory(Bytes size, const std::string& what, bool touch) {
  SPILLWAY_CHECK(size.value >= 0, "a negative size");
  if (size.value == 0) return;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t used = round_up(static_cast<std::size_t>(size.value), page);
  const auto refused = [&] {
    return machine_error(fmt::format("{}: the system refuses {}: {}", what, to_text(size), std::strerror(errno)));
  };
  // Room for the guards and for moving the start to a huge page's.
  const std::size_t reserved = page + kHugePage + used + page;
  void* const mapping = mmap(nullptr, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw refused();
  mapping_ = mapping;
  mapped_ = reserved;
  auto* const base = static_cast<std::byte*>(mapping);
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  std::byte* const start = base + (round_up(address + page, kHugePage) - address);
  try {
    if (mprotect(start, used, PROT_READ | PROT_WRITE) != 0) throw refused();
    madvise(start, used, MADV_HUGEPAGE);  // a wish: small pages do too
    if (touch) touch_pages(start, used, page, what);
  } catch (...) {
    munmap(mapping_, mapped_);
    throw;
  }
  bytes_ = {start, static_cast<std::size_t>(size.value)};
}

GuardedMemory::~GuardedMemory() {
  if (mapping_ != nullptr) munmap(mapping_, mapped_);
}

GuardedMemory::GuardedMemory(GuardedMemory&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_(std::exchange(other.mapped_, 0)),
      bytes_(std::exchange(other.bytes_, {})) {}

GuardedMemory& GuardedMemory::operator=(GuardedMemory&& other) noexcept {
  std::swap(mapping_, other.mapping_);
  std::swap(mapped_, other.mapped_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace spillway
