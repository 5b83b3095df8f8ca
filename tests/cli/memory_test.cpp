#include <gtest/gtest.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "core/units.h"
#include "tests/cli/program.h"

namespace spillway {
namespace {

ProgramResult run_well(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
  ProgramResult result = run_spillway(folder, arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result;
}

TEST(Memory, TrainingTakesArenaAndHostPoolAndLittleMore) {
  // What the program, oneDNN's code, its scratch and one batch of synthetic data need beside the two allocations; seen:
  // 36 MB on two cores. Less than the arena, so that an arena, or all weights and activations, kept twice would show.
  constexpr Bytes kBeside{140'000'000};
  const TemporaryFolder folder;
  run_well(folder.path(), {"profile", "unet3d", "--set", "size=48x48x48", "--set", "channels=1", "--set", "classes=3",
                           "-o", "trace.json"});
  const auto tuned =
      nlohmann::json::parse(run_well(folder.path(), {"tune", "trace.json", "--policy", "threshold", "--capacity", "60%",
                                                     "--evaluations", "20", "--json", "-o", "plan.json"})
                                .out);
  const ProgramResult result = run_well(folder.path(), {"execute", "plan.json", "--steps", "3", "--json"});
  const auto executed = nlohmann::json::parse(result.out);

  const Bytes arena{executed.at("arena_bytes").get<std::int64_t>()};
  const Bytes host{executed.at("host_bytes").get<std::int64_t>()};
  const Bytes footprint{tuned.at("footprint_bytes").get<std::int64_t>()};
  EXPECT_LE(arena.value, footprint.value * 6 / 10);
  EXPECT_GT(footprint, 100_MiB);
  EXPECT_LT(kBeside, arena);
  EXPECT_GE(result.largest_resident, arena);  // else this test measures something else
  EXPECT_LE(result.largest_resident, arena + host + kBeside);
  const std::string figures = "footprint " + to_text(footprint) + ", arena " + to_text(arena) + ", host pool " +
                              to_text(host) + ", resident " + to_text(result.largest_resident);
  RecordProperty("figures", figures);
  std::cout << figures << '\n';
}

}  // namespace
}  // namespace spillway
