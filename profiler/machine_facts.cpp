#include "profiler/machine_facts.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdint>
#include <ctime>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "device/cpu/machine.h"

namespace spillway {

Bytes resident_memory() {
  std::ifstream file("/proc/self/status");
  std::string key;
  while (file >> key) {
    std::int64_t kibibytes = 0;
    if (key == "VmRSS:" && file >> kibibytes) return {kibibytes << 10};
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  throw machine_error("/proc/self/status: found no VmRSS, expected the memory of this process");
}

std::string machine_text() {
  utsname system{};
  const bool known = uname(&system) == 0;
  return fmt::format("{}, {} core{}, {}", cpu_name(), cores(), cores() == 1 ? "" : "s",
                     known ? fmt::format("{} {}", system.sysname, system.release) : "unknown system");
}

Provenance provenance_now(const DeviceProperties& properties, const std::string& command) {
  return {.command = command,
          .date = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))),
          .machine = machine_text(),
          .device = properties.device,
          .library = properties.library,
          .instruction_set = properties.instruction_set,
          .threads = properties.threads,
          .driver = properties.driver};
}

}  // namespace spillway
