#pragma once

#include <string>

#include "core/units.h"

namespace spillway {

/// As /proc/cpuinfo names it; "CPU" if it doesn't.
[[nodiscard]] std::string cpu_name();

/// The cores that this process may run on, at least 1.
[[nodiscard]] int cores();

/// The size of the largest cache of core 0; 32 MiB if the system doesn't tell.
[[nodiscard]] Bytes last_level_cache();

struct FreeMemory {
  Bytes bytes;
  std::string limit;  ///< what allows no more: "MemAvailable", "the cgroup's limit", "RLIMIT_AS"
};
/// What this process can allocate and touch now: the least of the machine's MemAvailable, what is left in each cgroup
/// (v1 or v2) that the process is in, and RLIMIT_AS.
[[nodiscard]] FreeMemory free_memory();

/// How fast this machine copies between two buffers that no cache holds, in the mover's chunk size: the best of some
/// passes, 30 ms or so.
[[nodiscard]] BytesPerSecond measure_copy_rate();

}  // namespace spillway
