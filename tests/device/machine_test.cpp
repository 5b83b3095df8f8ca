#include "device/cpu/machine.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace spillway {
namespace {

TEST(Machine, FreeMemoryIsNoMoreThanThereIs) {
  const FreeMemory free = free_memory();
  const Bytes installed{sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE)};
  EXPECT_GT(free.bytes, 0_B);
  EXPECT_LE(free.bytes, installed);
  EXPECT_NE(free.limit, "nothing");
}

/// Leaves this process 64 MiB of address space, for good. Returns whether free_memory() sees it.
bool limit_is_seen() {
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  const rlim_t limit = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (rlim_t{64} << 20);
  const rlimit both{limit, limit};
  if (setrlimit(RLIMIT_AS, &both) != 0) return false;
  const FreeMemory free = free_memory();
  return free.bytes > 0_B && free.bytes <= 64_MiB && free.limit == "RLIMIT_AS";
}

TEST(Machine, FreeMemoryObeysTheAddressSpaceLimit) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(std::exit(limit_is_seen() ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST(Machine, HasACoreAndACache) {
  EXPECT_GE(cores(), 1);
  EXPECT_GE(last_level_cache(), 64_KiB);
  EXPECT_FALSE(cpu_name().empty());
}

}  // namespace
}  // namespace spillway
