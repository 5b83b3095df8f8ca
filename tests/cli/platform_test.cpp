#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/error.h"
#include "core/io/files.h"
#include "tests/cli/good_files.h"
#include "tests/cli/program.h"
#include "tests/support/full_platform.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AnyOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const fs::path kPresets = fs::path(SPILLWAY_SOURCE_DIR) / "platforms";

const std::vector<std::string> kNames{"a100-pcie", "ac922-4", "dgx-a100", "dgx-h100", "dgx1-v100",  "gb300",
                                      "gh200",     "l4",      "rtx4090",  "summit",   "x86-pcie3-4"};

Platform preset(const std::string& name) {
  return read_platform((kPresets / (name + ".json")).string());
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string output_of(const fs::path& folder, const std::vector<std::string>& arguments) {
  const ProgramResult result = run_spillway(folder, arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return result.out;
}

/// Direct links of each GPU, all pairs together.
std::map<std::int64_t, std::int64_t> bricks_of_each(const Platform& platform) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const Bricks& pair : platform.gpu_links->bricks) {
    counts[pair.a] += pair.count;
    counts[pair.b] += pair.count;
  }
  return counts;
}

/// The source of every figure in a platform's file, by the figure's key; a figure without one gets "".
void collect_sources(const json& node, const std::string& path, std::map<std::string, std::string>& sources) {
  if (!node.is_object()) return;
  const auto text = [&](const std::string& key) { return node.contains(key) ? node[key].get<std::string>() : ""; };
  for (const auto& [key, value] : node.items()) {
    const std::string place = path + "/" + key;
    if (key == "bandwidth_bytes_per_second" || key == "flops_per_second") sources[place] = text("source");
    if (key.ends_with("memory_bytes")) sources[place] = text(key.substr(0, key.size() - 6) + "_source");
    if (key == "start_seconds") sources[place] = text("start_source");
    collect_sources(value, place, sources);
  }
}

class PresetTest : public testing::TestWithParam<std::string> {};

TEST_P(PresetTest, IsAMachineWithACudaGpu) {
  const Platform platform = preset(GetParam());
  EXPECT_THAT(platform.name, StartsWith(GetParam() + " ("));
  EXPECT_EQ(platform.device, "cuda");
  EXPECT_EQ(platform.nodes, 1);
  EXPECT_TRUE(platform.gpu.has_value());
  if (platform.gpus_per_node > 1) {
    EXPECT_TRUE(platform.gpu_links && platform.network && platform.sockets);
    EXPECT_EQ(platform.gpus_per_node % platform.sockets->count, 0);
  }
}

TEST_P(PresetTest, TellsOfEachFigureWhereItComesFrom) {
  const json file = json::parse(content_of(kPresets / (GetParam() + ".json")));
  std::map<std::string, std::string> sources;
  collect_sources(file, "", sources);
  EXPECT_GT(sources.size(), 8U);
  for (const auto& [figure, source] : sources) {
    EXPECT_THAT(source, AnyOf(StartsWith("measured: "), StartsWith("vendor data sheet"), StartsWith("assumed: ")))
        << figure;
  }
}

TEST_P(PresetTest, MeasuredNothingAboveWhatThePeaksAllow) {
  const Platform platform = preset(GetParam());
  if (platform.gpu->memory_measured) {
    EXPECT_LT(platform.gpu->memory_measured->value, platform.gpu->memory.value);
  }
  const HostLink& link = platform.host_link;
  if (link.both) {
    EXPECT_LE(link.both->value.value, link.in.value.value + link.out.value.value);
  }
}

TEST_P(PresetTest, IsDrawnInEightyColumns) {
  for (const std::string& line : lines_of(output_of(".", {"show", GetParam()}))) EXPECT_LE(line.size(), 80U) << line;
}

TEST_P(PresetTest, CanBeUsedInPart) {
  const Platform platform = preset(GetParam());
  for (std::int64_t gpus = 1; gpus <= platform.gpus_per_node; gpus *= 2) {
    const std::optional<Platform> part = with_gpus(platform, gpus);
    ASSERT_TRUE(part) << gpus;
    const TemporaryFolder folder;
    write_content(folder.path() / "part.json", platform_text(*part));
    EXPECT_EQ(read_platform((folder.path() / "part.json").string()), *part);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, PresetTest, testing::ValuesIn(kNames), [](const auto& tested) {
  std::string name = tested.param;
  std::erase(name, '-');
  return name;
});

// A V100 has six NVLink 2 bricks.

TEST(Preset, Dgx1HasAllSixBricksOfEachGpuInItsCubeMesh) {
  std::map<std::int64_t, std::int64_t> expected;
  for (std::int64_t gpu = 0; gpu < 8; ++gpu) expected[gpu] = 6;
  const Platform platform = preset("dgx1-v100");
  EXPECT_EQ(bricks_of_each(platform), expected);
  // Within a socket all reach all; between the two, each its opposite.
  std::set<std::pair<std::int64_t, std::int64_t>> across;
  for (const Bricks& pair : platform.gpu_links->bricks) {
    if (pair.a / 4 != pair.b / 4) across.emplace(pair.a, pair.b);
  }
  EXPECT_THAT(across, ElementsAre(std::pair(0, 4), std::pair(1, 5), std::pair(2, 6), std::pair(3, 7)));
  EXPECT_EQ(platform.gpu_links->bricks.size(), 6U + 6U + 4U);
}

TEST(Preset, Power9LeavesHalfOfTheBricksOrAThirdToTheHost) {
  // 8335-GTG: three to the host, three to the other GPU. 8335-GTW: two to the host, two to each of two GPUs.
  for (const auto& [gpu, bricks] : bricks_of_each(preset("ac922-4"))) EXPECT_EQ(bricks, 3) << gpu;
  for (const auto& [gpu, bricks] : bricks_of_each(preset("summit"))) EXPECT_EQ(bricks, 4) << gpu;
}

TEST(ListPlatforms, TellsEachPresetInOneLine) {
  const std::vector<std::string> lines = lines_of(output_of(".", {"list", "platforms"}));
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
  ASSERT_GT(lines.size(), kNames.size());
  for (std::size_t i = 0; i < kNames.size(); ++i) EXPECT_THAT(lines[i + 1], StartsWith(kNames[i] + " "));
  EXPECT_EQ(lines[0], "preset       GPUs of a node        memory   host link, GB/s each GPU");
  EXPECT_EQ(lines[3], "dgx-a100      8 A100 SXM4        80.0 GiB    26.2 in  25.9 out, measured");
}

TEST(ShowPlatform, DrawsTheMachineAndTellsWhereItsFiguresComeFrom) {
  EXPECT_EQ(output_of(".", {"show", "x86-pcie3-4"}), R"(x86-pcie3-4 (two sockets, PCIe 3)
1 node of 4 GPUs (V100 PCIe), 16.0 GiB each; device cuda

node
|- host memory 256 GiB [assumed]
|- 1 NIC of 12.5 GB/s [data sheet], over the uplinks
|- socket 0: memory 76.8 GB/s [data sheet]
|  `- switch 0: in 12.2 GB/s, out 13.2 GB/s [assumed]
|     |- GPU 0: in 12.2 GB/s, out 13.2 GB/s [measured]
|     `- GPU 1: in 12.2 GB/s, out 13.2 GB/s [measured]
`- socket 1: memory 76.8 GB/s [data sheet]
   `- switch 1: in 12.2 GB/s, out 13.2 GB/s [assumed]
      |- GPU 2: in 12.2 GB/s, out 13.2 GB/s [measured]
      `- GPU 3: in 12.2 GB/s, out 13.2 GB/s [measured]

GPU to GPU: over their host links, under one switch each way 10.0 GB/s [assumed]

figures and their sources
  GPU FP32                 14 TFLOP/s  vendor data sheet, unverified
  GPU FP16                112 TFLOP/s  vendor data sheet, unverified: dense, on
                                       tensor cores
  GPU memory                 16.0 GiB  vendor data sheet: 16 GB; a model of 32
                                       GB exists
  its peak rate            900.0 GB/s  vendor data sheet
  its rate as seen         814.0 GB/s  measured: V100-PCIe, by whom isn't
                                       recorded
  host memory                 256 GiB  assumed: a usual size for two sockets
  host link in              12.2 GB/s  measured: superbenchmark, V100-PCIe; PCIe
                                       3 x16, peak 15.75 GB/s
  host link out             13.2 GB/s  measured: superbenchmark, V100-PCIe; PCIe
                                       3 x16, peak 15.75 GB/s
  a copy's start              2.65 us  measured: superbenchmark, V100-PCIe: 2.65
                                       us in, 1.99 us out; the larger
  uplink in                 12.2 GB/s  assumed: what one GPU's PCIe 3 x16
                                       copies; a pair of GPUs then gets about
                                       6.1 to 6.6 GB/s each
  uplink out                13.2 GB/s  assumed: what one GPU's PCIe 3 x16
                                       copies; a pair of GPUs then gets about
                                       6.1 to 6.6 GB/s each
  socket's memory           76.8 GB/s  vendor data sheet: IBM's comparison, GTC
                                       S9426
  GPU to GPU                10.0 GB/s  assumed: 10 to 13 GB/s under one switch,
                                       the lower end
  a GPU step's start          5.70 us  assumed: a ring's step over PCIe in
                                       NCCL's own cost model
                                       (src/graph/tuning.cc, Simple)
  NIC                       12.5 GB/s  vendor data sheet: EDR InfiniBand; 1 or 2
                                       NICs, the smaller
  a network step's start      9.60 us  assumed: a ring's step over a network in
                                       NCCL's own cost model
                                       (src/graph/tuning.cc, Simple)
)");
}

TEST(ShowPlatform, DrawsBricksAsAMatrix) {
  const TemporaryFolder folder;
  write_content(folder.path() / "full.json", platform_text(full_platform()));
  EXPECT_THAT(output_of(folder.path(), {"show", "full.json"}), HasSubstr("\n"
                                                                         "  bricks   0   1   2   3\n"
                                                                         "       0   .   2   1   .\n"
                                                                         "       1   2   .   .   .\n"
                                                                         "       2   1   .   .   2\n"
                                                                         "       3   .   .   2   .\n"));
}

TEST(ShowPlatform, DrawsTheFirstOfManyGpus) {
  Platform many = full_platform();
  many.gpus_per_node = 1'000'000'000'000;
  const TemporaryFolder folder;
  write_content(folder.path() / "many.json", platform_text(many));
  const std::vector<std::string> lines = lines_of(output_of(folder.path(), {"show", "many.json"}));
  EXPECT_LT(lines.size(), 80U);
  EXPECT_THAT(lines, testing::Contains("`- and 999999999984 GPUs alike"));
}

TEST(ShowPlatform, PrefersAFileToAPresetOfItsName) {
  const TemporaryFolder folder;
  write_content(folder.path() / "l4", platform_text(full_platform()));
  EXPECT_THAT(output_of(folder.path(), {"show", "l4"}), StartsWith("full\n"));
}

TEST(InstalledPresets, AreThoseBesideTheProgram) {
  const TemporaryFolder folder;
  const std::string install = "'" SPILLWAY_CMAKE "' --install '" SPILLWAY_BUILD_DIR "' --prefix '" +
                              folder.path().string() + "' > '" + (folder.path() / "log").string() + "' 2>&1";
  ASSERT_EQ(std::system(install.c_str()), 0) << content_of(folder.path() / "log");
  const fs::path presets = folder.path() / "share/spillway/platforms";
  std::vector<std::string> installed;
  for (const fs::directory_entry& entry : fs::directory_iterator(presets)) installed.push_back(entry.path().stem());
  EXPECT_THAT(installed, testing::UnorderedElementsAreArray(kNames));

  // One that the source hasn't tells from where they are read.
  fs::rename(presets / "l4.json", presets / "here.json");
  const std::string list =
      "'" + (folder.path() / "bin/spillway").string() + "' list platforms > '" + (folder.path() / "out").string() + "'";
  ASSERT_EQ(std::system(list.c_str()), 0);
  EXPECT_THAT(content_of(folder.path() / "out"), HasSubstr("\nhere "));
}

/// The platform that `tune chain.trace.json` with these flags puts into its plan.
class PlatformFlagsTest : public testing::Test {
 protected:
  void SetUp() override { copy_good_files(folder_.path()); }
  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }
  [[nodiscard]] Plan tuned(std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"tune", "chain.trace.json", "--policy", "in-memory", "-o", "plan"});
    static_cast<void>(output_of(folder(), flags));
    return read_plan((folder() / "plan").string()).plan;
  }

 private:
  TemporaryFolder folder_;
};

/// Whatever else, the name tells of it.
Platform renamed(Platform platform, const std::string& changes) {
  platform.name += " with" + changes;
  return platform;
}

TEST_F(PlatformFlagsTest, APresetIsTakenByName) {
  EXPECT_EQ(tuned({"--platform", "summit"}).platform, preset("summit"));
}

TEST_F(PlatformFlagsTest, ThePartOfAPresetThatIsUsed) {
  EXPECT_EQ(tuned({"--platform", "summit", "--gpus", "3", "--nodes", "5"}).platform, [] {
    Platform platform = renamed(*with_gpus(preset("summit"), 3), " --gpus 3 --nodes 5");
    platform.nodes = 5;
    return platform;
  }());
}

TEST_F(PlatformFlagsTest, AnotherGpuBringsItsMemoryAndRatesAndLeavesTheLink) {
  Platform expected = renamed(preset("ac922-4"), " --gpu a100");
  expected.gpu = preset("dgx-a100").gpu;
  expected.device_memory = 80_GiB;
  expected.device_memory_source = preset("dgx-a100").device_memory_source;
  EXPECT_EQ(tuned({"--platform", "ac922-4", "--gpu", "a100"}).platform, expected);
}

TEST_F(PlatformFlagsTest, EachGpuThatHasANameIsThere) {
  const ProgramResult refused = run_spillway(folder(), {"simulate", "chain.plan.json", "--gpu", "?"});
  const std::string before = "expected one of ";
  std::string names = refused.err.substr(refused.err.find(before) + before.size());
  std::ranges::replace(names, ',', ' ');
  int count = 0;
  std::istringstream stream(names);
  for (std::string name; stream >> name; ++count) {
    EXPECT_EQ(output_of(folder(), {"simulate", "chain.plan.json", "--platform", "summit", "--gpu", name}).empty(),
              false);
  }
  EXPECT_EQ(count, 9);
}

TEST_F(PlatformFlagsTest, SettingsApplyInTheirOrderAfterTheGpu) {
  const Platform platform =
      tuned({"--platform", "dgx1-v100", "--set", "device_memory_bytes=32GiB", "--gpu", "l4", "--set",
             "host_link.bandwidth_bytes_per_second=64e9", "--set", "host_link.out.bandwidth_bytes_per_second=32GB/s"})
          .platform;
  const std::string source = "set on the command line";
  EXPECT_EQ(platform.device_memory, 32_GiB);
  EXPECT_EQ(platform.device_memory_source, source);
  EXPECT_EQ(platform.host_link.in, (Rate{{64e9}, source}));
  EXPECT_EQ(platform.host_link.out, (Rate{{32e9}, source}));
  EXPECT_EQ(platform.gpu, preset("l4").gpu);
}

TEST_F(PlatformFlagsTest, OnTheTracedCpuGpusAreRanks) {
  const Platform traced = read_trace((folder() / "chain.trace.json").string()).machine;
  Platform expected = renamed(traced, " --gpus 3");
  expected.gpus_per_node = 3;
  EXPECT_EQ(tuned({"--gpus", "3"}).platform, expected);
}

TEST_F(PlatformFlagsTest, TheDefaultCapacityOfAGpuIsItsMemoryLessFivePercent) {
  // 16 GiB less a twentieth, rounded down: 17179869184 - 858993459; the chain's process needs nothing.
  EXPECT_EQ(tuned({"--platform", "ac922-4"}).capacity, Bytes{16320875725});
  edit(folder() / "chain.trace.json", "\"process_bytes\": 0", "\"process_bytes\": 1000000000");
  EXPECT_EQ(tuned({"--platform", "ac922-4"}).capacity, Bytes{15320875725});
}

TEST_F(PlatformFlagsTest, TheDefaultCapacityOfACpuIsTheFootprint) {
  EXPECT_EQ(tuned({}).capacity, Bytes{1472});  // worked out beside CapacityTooSmall in bad_input_test.cpp
  EXPECT_EQ(tuned({"--gpus", "2"}).capacity, Bytes{1472});
}

TEST_F(PlatformFlagsTest, SimulateChangesThePlansOwnPlatform) {
  // Swaps of the chain are bound by its link of 1 MB/s.
  const std::string slow = output_of(folder(), {"simulate", "chain.plan.json", "--json"});
  const std::string fast = output_of(
      folder(), {"simulate", "chain.plan.json", "--json", "--set", "host_link.bandwidth_bytes_per_second=1GB/s"});
  EXPECT_LT(json::parse(fast)["stall_seconds"], json::parse(slow)["stall_seconds"]);
}

}  // namespace
}  // namespace spillway
