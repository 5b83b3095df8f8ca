#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/cli/good_files.h"
#include "tests/cli/program.h"

namespace spillway {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;
using Arguments = std::vector<std::string>;

class SweepTest : public testing::Test {
 protected:
  void SetUp() override { copy_good_files(folder_.path()); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] ProgramResult run(const Arguments& arguments) const {
    Arguments all{"sweep", "chain.trace.json"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_spillway(folder(), all);
  }
  [[nodiscard]] std::string content(const std::string& file) const { return content_of(folder() / file); }

 private:
  TemporaryFolder folder_;
};

/// Two machines, three capacities, two batches, two policies: 24 points.
Arguments with(const Arguments& more) {
  Arguments all{"--platform", "cpu,gh200", "--capacity", "70%,85%,100%", "--batch",       "1,2",
                "--policy",   "swap-all",  "--policy",   "threshold",    "--evaluations", "20"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::ptrdiff_t lines_in(const std::string& text) {
  return std::ranges::count(text, '\n');
}

std::string first_lines(const std::string& text, int count) {
  std::size_t end = 0;
  for (int i = 0; i < count; ++i) end = text.find('\n', end) + 1;
  return text.substr(0, end);
}

TEST_F(SweepTest, PrintsATableOfEightyColumnsWithReasonsBeneath) {
  const ProgramResult result = run({"--platform", "cpu,gh200", "--gpus", "1,9", "--capacity", "100%,320", "--batch",
                                    "1,3", "--policy", "in-memory"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");            // no terminal, no progress
  EXPECT_EQ(lines_in(result.out), 23);  // headings, 16 points, three reasons on two lines each
  EXPECT_THAT(result.out, StartsWith("  platform  ranks  capacity  batch  policy"));
  // One CPU rank at batch 1 keeps all of its 1472 bytes: two layers of 1 + 2 ms, the loss and two updates of 0.1 ms
  // each; before them 64 bytes of input come, behind them 4 of the loss leave, at 1e6 bytes a second: 6.368 ms.
  EXPECT_THAT(result.out, HasSubstr("\n  cpu           1  1.44 KiB      1  in-memory  6.37 ms        157  1.1 %\n"));
  EXPECT_THAT(result.out, HasSubstr("\n  cpu           1     320 B      1  in-memory  needs 1.44 KiB\n"));
  EXPECT_THAT(result.out, HasSubstr("\n  gh200         9      100%      3  in-memory  no [3]\n"));
  EXPECT_THAT(result.out, HasSubstr("\n  [1] batch 3 wasn't profiled; the trace of 'chain' has 1, 2; profile it with\n"
                                    "      --batch 3\n"));
  EXPECT_THAT(result.out, HasSubstr("\n  [3] --gpus: found 9, expected at most 4: "));
  for (std::size_t start = 0; start < result.out.size();) {
    const std::size_t end = result.out.find('\n', start);
    EXPECT_LE(end - start, 80U) << result.out.substr(start, end - start);
    start = end + 1;
  }
}

TEST_F(SweepTest, GivesTheSameWhateverTheNumberOfJobs) {
  const ProgramResult one = run(with({"--jobs", "1", "--csv", "one.csv", "--json"}));
  const ProgramResult two = run(with({"--jobs", "2", "--csv", "two.csv", "--json"}));
  EXPECT_EQ(one.exit_code, 0) << one.err;
  EXPECT_EQ(one.out, two.out);
  EXPECT_EQ(content("one.csv"), content("two.csv"));
  EXPECT_EQ(lines_in(content("one.csv")), 25);
}

TEST_F(SweepTest, TellsInJsonWhatTuneTells) {
  const json points = json::parse(run(with({"--json"})).out);
  ASSERT_EQ(points.size(), 24U);
  std::size_t compared = 0;
  for (const json& point : points) {
    const std::string batch = point.at("batch").dump();
    const ProgramResult tuned = run_spillway(
        folder(), {"tune", "chain.trace.json", "--platform", point.at("platform"), "--capacity", point.at("capacity"),
                   "--batch", batch, "--policy", point.at("policy"), "--evaluations", "20", "--json", "-o", "p"});
    ASSERT_EQ(tuned.exit_code == 0, point.at("fits").get<bool>()) << point << tuned.err;
    if (tuned.exit_code != 0) continue;
    ++compared;
    const json facts = json::parse(tuned.out);
    for (const char* key : {"step_seconds", "samples_per_second", "stall_seconds", "compute_seconds", "arena_bytes",
                            "host_bytes", "footprint_bytes", "capacity_bytes", "swaps"})
      EXPECT_EQ(point.at(key), facts.at(key)) << key << point;
  }
  EXPECT_GE(compared, 6U);
}

TEST_F(SweepTest, ComputesOnlyWhatAnEarlierRunDidNotFinish) {
  ASSERT_EQ(run(with({"--points", "points", "--csv", "whole.csv"})).exit_code, 0);
  const std::string all = content("points");
  ASSERT_EQ(lines_in(all), 25);  // a heading, then the points
  const std::string half = first_lines(all, 13);
  write_content(folder() / "points", half);
  const ProgramResult rest = run(with({"--points", "points", "--csv", "again.csv"}));
  EXPECT_EQ(rest.exit_code, 0);
  EXPECT_EQ(rest.err, "");
  EXPECT_EQ(content("again.csv"), content("whole.csv"));
  EXPECT_EQ(lines_in(content("points")), 25);
  EXPECT_THAT(content("points"), StartsWith(half));
  // Another capacity adds its own points only; nothing to do adds none.
  ASSERT_EQ(run(with({"--points", "points", "--capacity", "90%"})).exit_code, 0);
  EXPECT_EQ(lines_in(content("points")), 33);
  ASSERT_EQ(run(with({"--points", "points", "--capacity", "90%"})).exit_code, 0);
  EXPECT_EQ(lines_in(content("points")), 33);
}

TEST_F(SweepTest, ComputesATornLastLineAgainAndSaysSo) {
  ASSERT_EQ(run(with({"--points", "points", "--csv", "whole.csv"})).exit_code, 0);
  const std::string all = content("points");
  write_content(folder() / "points", all.substr(0, all.size() - 20));
  const ProgramResult again = run(with({"--points", "points", "--csv", "again.csv"}));
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_EQ(again.err, "spillway: points: its last line was cut off; that point is computed again\n");
  EXPECT_EQ(content("again.csv"), content("whole.csv"));
  EXPECT_EQ(lines_in(content("points")), 25);
}

TEST_F(SweepTest, RefusesThePointsOfAnotherTrace) {
  ASSERT_EQ(run(with({"--points", "points"})).exit_code, 0);
  const ProgramResult other = run_spillway(
      folder(), {"sweep", "mlp.trace.json", "--platform", "cpu", "--policy", "in-memory", "--points", "points"});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_EQ(other.out, "");
  EXPECT_EQ(other.err,
            "spillway: points: its points are of another trace, or the trace has changed; begin another file\n");
}

TEST_F(SweepTest, SaysNoWhenNothingFits) {
  const ProgramResult result = run({"--platform", "cpu", "--capacity", "320,384", "--csv", "a.csv", "--plot", "a.svg"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "spillway: none of the 2 points fits\n");
  EXPECT_THAT(result.out, HasSubstr("needs "));
  EXPECT_EQ(lines_in(content("a.csv")), 3);
  EXPECT_FALSE(std::filesystem::exists(folder() / "a.svg"));
}

TEST_F(SweepTest, ComplainsInOneLineAboutWhatIsWrongEverywhere) {
  const std::vector<std::pair<Arguments, std::string>> mistakes{
      {{}, "sweep: --platform is required; see 'spillway sweep --help'"},
      {{"--platform", "cpu", "--gpus", "1,x"}, "--gpus: found 'x', expected whole numbers above 0 such as 1,2,4"},
      {{"--platform", "cpu", "--nodes", "0"}, "--nodes: found '0', expected whole numbers above 0 such as 1,2,4"},
      {{"--platform", "cpu", "--batch", "1,"}, "--batch: found '', expected whole numbers above 0 such as 1,2,4"},
      {{"--platform", "cpu", "--capacity", "80%,0%"},
       "--capacity: found '0%', expected a share of the footprint such as 45%"},
      {{"--platform", "cpu", "--policy", "swapall"},
       "--policy: found 'swapall', expected one of in-memory, swap-all, tflms, threshold; did you mean 'swap-all'?"},
      {{"--platform", "cpu", "--points", "none/points"}, "none/points: there is no directory 'none'"},
      {{"--platform", "cpu", "--points", "chain.trace.json"}, "chain.trace.json: isn't a file of a sweep's points"},
      {{"--platform", "cpu", "--jobs", "0"},
       "sweep: --jobs: found '0', expected a whole number above 0; see 'spillway sweep --help'"}};
  for (const auto& [arguments, line] : mistakes) {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << line;
    EXPECT_EQ(result.err, "spillway: " + line + "\n");
    EXPECT_EQ(result.out, "");
  }
  EXPECT_THAT(run({"--platform", "cpu,dgx1-v10"}).err, HasSubstr("did you mean 'dgx1-v100'?"));
  EXPECT_EQ(run({"--platform", "cpu", "--set", "host_link.typo=1"}).exit_code, 2);
}

TEST_F(SweepTest, TakesASettingThatOnlySomePlatformsHave) {
  const ProgramResult result =
      run({"--platform", "cpu,dgx1-v100", "--gpus", "1", "--set", "gpu.assumed_efficiency=0.5", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const json points = json::parse(result.out);
  ASSERT_EQ(points.size(), 2U);
  EXPECT_FALSE(points[0].at("fits"));
  EXPECT_THAT(points[0].at("reason").get<std::string>(), StartsWith("--set gpu.assumed_efficiency=0.5: "));
  EXPECT_TRUE(points[1].at("fits"));
}

TEST_F(SweepTest, TellsTheSettingsOfADeviceFromTheNextPlatform) {
  const ProgramResult result = run({"--platform", "cpu:link=0.0001GB/s,start=1us,gh200", "--gpus", "1", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const json points = json::parse(result.out);
  ASSERT_EQ(points.size(), 2U);
  EXPECT_EQ(points[0].at("platform"), "cpu:link=0.0001GB/s,start=1us");
  EXPECT_EQ(points[1].at("platform"), "gh200");
}

TEST_F(SweepTest, DrawsALineForEachPlatformAndPolicy) {
  ASSERT_EQ(run(with({"--gpus", "1", "--plot", "a.svg"})).exit_code, 0);
  const std::string svg = content("a.svg");
  EXPECT_THAT(svg, StartsWith("<svg xmlns="));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  for (const char* label : {"cpu, 1 rank, batch 1, threshold", "gh200, 1 rank, batch 2, swap-all"})
    EXPECT_THAT(svg, HasSubstr(std::string(">") + label + "</text>"));
  EXPECT_THAT(svg, HasSubstr(">capacity (KiB)</text>"));
  EXPECT_THAT(svg, HasSubstr(">predicted step time ("));
}

TEST_F(SweepTest, KeepsWhatItHasOnCtrlC) {
  std::string capacities = "100%";
  for (int i = 6000; i < 9999; ++i) capacities += "," + std::to_string(i) + "e-2%";
  const Arguments many{"sweep", "mlp.trace.json", "--platform", "cpu",   "--capacity", capacities, "--jobs",
                       "1",     "--points",       "points",     "--csv", "some.csv"};
  Program program(folder(), many);
  while (program.running() && (!std::filesystem::exists(folder() / "points") || lines_in(content("points")) < 4))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // looks again; what it waits for is in the file
  program.interrupt();
  const ProgramResult stopped = program.wait();
  EXPECT_EQ(stopped.exit_code, 0) << stopped.err;
  const std::ptrdiff_t kept = lines_in(content("points")) - 1;
  EXPECT_GE(kept, 3);
  EXPECT_EQ(lines_in(content("some.csv")), kept + 1);
  EXPECT_EQ(stopped.err, "spillway: stopped as asked, with " + std::to_string(kept) +
                             " of 4000 points; the same command computes the rest\n");
}

#ifdef SPILLWAY_MPIEXEC

TEST_F(SweepTest, GivesTheSameOverRanksAndTakesOverWhatTheyLeft) {
  const std::string sweep = std::string(SPILLWAY_PROGRAM) +
                            " sweep chain.trace.json --platform cpu,gh200 --capacity 70%,85%,100% --batch 1,2 --policy "
                            "swap-all,threshold --evaluations 20 --jobs 1 --points points";
  const auto over_ranks = [&](int ranks, const std::string& csv) {
    const std::string command = "cd '" + folder().string() + "' && " + SPILLWAY_MPIEXEC + " -n " +
                                std::to_string(ranks) + " " + sweep + " --csv " + csv + " > out 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << content("out");
  };
  ASSERT_EQ(run(with({"--csv", "alone.csv"})).exit_code, 0);
  over_ranks(3, "three.csv");
  EXPECT_EQ(content("three.csv"), content("alone.csv"));
  EXPECT_EQ(lines_in(content("points")), 25);
  EXPECT_FALSE(std::filesystem::exists(folder() / "points.rank1"));

  // As three ranks leave it that are ended before they could gather: the next run, of two, has nothing to compute.
  const std::string all = content("points");
  const std::string heading = first_lines(all, 1);
  const std::string first = first_lines(all, 9), second = first_lines(all, 17);
  write_content(folder() / "points", first);
  write_content(folder() / "points.rank1", heading + second.substr(first.size()));
  write_content(folder() / "points.rank2", heading + all.substr(second.size()));
  over_ranks(2, "two.csv");
  EXPECT_EQ(content("two.csv"), content("alone.csv"));
  EXPECT_EQ(content("points"), all);
  EXPECT_FALSE(std::filesystem::exists(folder() / "points.rank1"));
  EXPECT_FALSE(std::filesystem::exists(folder() / "points.rank2"));
}

#endif

}  // namespace
}  // namespace spillway
