#include "device/cpu/machine.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>
#include <vector>

#include "device/cpu/clock.h"

namespace spillway {
namespace {

/// The number behind `key` in a file of lines "key number ...".
std::optional<std::int64_t> number_in(const std::string& path, std::string_view key) {
  std::ifstream file(path);
  std::string word;
  while (file >> word) {
    if (word == key) {
      std::int64_t value = 0;
      if (file >> value) return value;
      return std::nullopt;
    }
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::nullopt;
}

/// The number a file starts with; none if there is no file or it says "max".
std::optional<std::int64_t> number_of(const std::string& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

struct CgroupFiles {
  const char *limit, *usage, *reclaimable;
};
constexpr CgroupFiles kVersion1{"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"};
constexpr CgroupFiles kVersion2{"/memory.max", "/memory.current", "inactive_file"};

/// What is left in the cgroup at `path` under `root` and in all that it lies in. Inside a container the path may not
/// exist below the mounted root, which then is the container's own cgroup.
std::optional<Bytes> left_in(const std::string& root, std::string path, const CgroupFiles& files) {
  std::optional<Bytes> least;
  while (true) {
    const std::string folder = root + path;
    const auto limit = number_of(folder + files.limit);
    const auto usage = number_of(folder + files.usage);
    if (limit && usage) {
      const std::int64_t reclaimable = number_in(folder + "/memory.stat", files.reclaimable).value_or(0);
      const Bytes left{std::max<std::int64_t>(0, *limit - *usage + reclaimable)};
      least = least ? std::min(*least, left) : left;
    }
    if (path.empty()) return least;
    path.erase(path.rfind('/'));
  }
}

std::optional<Bytes> left_in_cgroups() {
  std::optional<Bytes> least;
  const auto take = [&](std::optional<Bytes> left) {
    if (left) least = least ? std::min(*least, *left) : *left;
  };
  // Lines "hierarchy:controllers:path"; version 2 has no controllers.
  std::ifstream file("/proc/self/cgroup");
  std::string line;
  while (std::getline(file, line)) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    std::string path = line.substr(second + 1);
    if (path == "/") path.clear();
    if (!path.empty() && path.front() != '/') continue;
    if (controllers.empty()) take(left_in("/sys/fs/cgroup", path, kVersion2));
    if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      take(left_in("/sys/fs/cgroup/memory", path, kVersion1));
    }
  }
  return least;
}

std::optional<Bytes> left_of_address_space() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  const std::int64_t pages = number_of("/proc/self/statm").value_or(0);
  const std::int64_t used = pages * sysconf(_SC_PAGESIZE);
  return Bytes{std::max<std::int64_t>(0, static_cast<std::int64_t>(limit.rlim_cur) - used)};
}

}  // namespace

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("model name")) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "CPU";
}

int cores() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

Bytes last_level_cache() {
  std::int64_t largest = 0;
  for (int index = 0; index < 8; ++index) {
    // "32768K"
    const auto kibibytes = number_of("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size");
    largest = std::max(largest, kibibytes.value_or(0) << 10);
  }
  if (largest == 0) largest = std::max<std::int64_t>(0, sysconf(_SC_LEVEL3_CACHE_SIZE));
  return largest > 0 ? Bytes{largest} : 32_MiB;
}

FreeMemory free_memory() {
  FreeMemory result{{std::numeric_limits<std::int64_t>::max()}, "nothing"};
  const auto limit_to = [&](std::optional<Bytes> bytes, const char* limit) {
    if (bytes && *bytes < result.bytes) result = {*bytes, limit};
  };
  if (const auto kibibytes = number_in("/proc/meminfo", "MemAvailable:")) {
    limit_to(Bytes{*kibibytes << 10}, "MemAvailable");
  }
  limit_to(left_in_cgroups(), "the cgroup's limit");
  limit_to(left_of_address_space(), "RLIMIT_AS");
  return result;
}

BytesPerSecond measure_copy_rate() {
  constexpr std::size_t kSize = std::size_t{64} << 20, kChunk = std::size_t{256} << 10;
  constexpr int kPasses = 3;
  std::vector<std::byte> from(kSize), to(kSize);
  const Clock clock;
  double best = 0;
  for (int pass = 0; pass < kPasses; ++pass) {
    const Seconds start = clock.now();
    for (std::size_t offset = 0; offset < kSize; offset += kChunk) {
      std::memcpy(to.data() + offset, from.data() + offset, kChunk);
      asm volatile("" : : "r"(to.data()) : "memory");  // or the compiler drops copies that nobody reads
    }
    best = std::max(best, static_cast<double>(kSize) / (clock.now() - start).value);
  }
  return {best};
}

}  // namespace spillway
