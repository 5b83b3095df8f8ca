#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "core/error.h"
#include "device/spec.h"
#include "models/models.h"
#include "profiler/profile.h"
#include "tests/support/unflushed.h"

namespace spillway {
namespace {

/// Equal layers of 2048 x 2048 weights: each 16 MiB, and with gradient and Adam's two moments 64 MiB.
constexpr std::int64_t kLayers = 40;

Bytes footprint(const Graph& graph, std::int64_t batch) {
  Bytes sum;
  for (const Buffer& buffer : graph.buffers) sum += bytes(buffer, batch);
  return sum;
}

void limit_address_space(Bytes more) {
  std::int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit limit{};
  limit.rlim_cur = limit.rlim_max = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + more.value);
  if (setrlimit(RLIMIT_AS, &limit) != 0) std::exit(10);
}

/// In a process of its own: what fails is told by the exit code.
[[noreturn]] void profile_with_too_little_memory() {
  limit_address_space(1536_MiB);
  const Graph graph = make_model("mlp", parse_settings({"width=2048", "depth=40", "inputs=2048"}), "adam");
  if (footprint(graph, 1) < kLayers * 64_MiB) std::exit(11);
  const std::unique_ptr<Device> device = make_device(parse_device("cpu:threads=1"));
  try {
    device->allocate(footprint(graph, 1), Bytes{0});
    std::exit(12);  // it would have fitted: no proof
  } catch (const Error& error) {
    if (error.code() != ExitCode::machine) std::exit(13);
  }
  try {
    Unflushed quick(*device);
    const Trace trace = profile(
        quick, {.graph = graph,
                .batches = {1},
                .command = "",
                .repeats = RepeatRule{.least = 1, .least_of_long = 1, .long_op = {1}, .enough = {0}, .most = 1}});
    for (const OpId id : graph.ops.ids()) {
      if (cost(trace.batches.front(), id).seconds.value <= 0) std::exit(14);
    }
  } catch (const Error& error) {
    std::fputs(error.what(), stderr);
    std::exit(15);
  }
  std::exit(0);
}

TEST(LargerThanMemory, ANetworkThatTheDeviceCannotHoldIsProfiledOpByOp) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's own address space is above any limit";
#endif
  // A process that starts anew: one that has had OpenMP threads can't be forked.
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(profile_with_too_little_memory(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace spillway
