// The program under mpirun, as users start it: equal losses, and how ranks that differ or die end all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/cli/program.h"
#include "tests/support/processes.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

struct Outcome {
  int exit_code = 0;  ///< mpirun's; 124: it hung
  std::string out, err;
};

class Mpirun : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    ok({"profile", "mlp", "--set", "width=64", "--set", "inputs=48", "--batch", "8", "-o", "trace.json"});
    for (const int ranks : {2, 3, 4}) {
      const std::string gpus = std::to_string(ranks);
      ok({"tune", "trace.json", "--platform", machine(), "--gpus", gpus, "-o", "kept" + gpus + ".json"});
      ok({"tune", "trace.json", "--platform", machine(), "--gpus", gpus, "--capacity", "70%", "-o",
          "swapped" + gpus + ".json"});
    }
  }
  static void TearDownTestSuite() { delete folder_; }

  static const fs::path& folder() { return folder_->path(); }

  /// `-n 2 spillway execute ...`, as mpirun takes it, in the folder.
  static Outcome mpirun(const std::string& arguments) {
    const std::string command =
        "cd " + folder().string() + " && timeout 100 " SPILLWAY_MPIEXEC " " + arguments + " >out 2>err </dev/null";
    const int status = std::system(command.c_str());
    return {.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
            .out = content_of(folder() / "out"),
            .err = content_of(folder() / "err")};
  }
  static std::string spillway(const std::string& arguments) { return SPILLWAY_PROGRAM " " + arguments; }

  static std::vector<double> losses_of(int ranks, const std::string& plan) {
    const Outcome outcome =
        mpirun("-n " + std::to_string(ranks) + " " + spillway("execute " + plan + " --steps 4 --json"));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    if (outcome.exit_code != 0) return {};
    return nlohmann::json::parse(outcome.out).at("losses").get<std::vector<double>>();
  }
  /// Lines on stderr that are ours.
  static std::vector<std::string> complaints(const Outcome& outcome) {
    std::vector<std::string> lines;
    std::istringstream stream(outcome.err);
    for (std::string line; std::getline(stream, line);) {
      if (line.starts_with("spillway: ")) lines.push_back(line);
    }
    return lines;
  }

  static void ok(const std::vector<std::string>& arguments) {
    const ProgramResult result = run_spillway(folder(), arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }

 private:
  /// The traced machine with a crossbar, since the trace of one rank knows no all-reduce.
  static std::string machine() {
    const fs::path file = folder() / "machine.json";
    if (!fs::exists(file)) {
      const nlohmann::json trace = nlohmann::json::parse(content_of(folder() / "trace.json"));
      nlohmann::ordered_json platform{{"format", "spillway-platform"}, {"version", 1}};
      for (const auto& [key, value] : trace.at("machine").items()) platform[key] = value;
      platform["gpus_per_node"] = 4;
      platform["gpu_links"] = {{"kind", "crossbar"},
                               {"rate", {{"bandwidth_bytes_per_second", 1e9}, {"source", "assumed: for the test"}}},
                               {"start_seconds", 1e-5}};
      write_content(file, platform.dump());
    }
    return "machine.json";
  }
  static TemporaryFolder* folder_;
};

TemporaryFolder* Mpirun::folder_ = nullptr;

TEST_F(Mpirun, LossesAreThoseOfAsManyMicroBatchesFromRunToRunAndWithAndWithoutSwapping) {
  for (const int ranks : {2, 3, 4}) {
    const std::string number = std::to_string(ranks);
    ok({"tune", "trace.json", "--micro-batches", number, "-o", "micro" + number + ".json"});
    const ProgramResult alone =
        run_spillway(folder(), {"execute", "micro" + number + ".json", "--steps", "4", "--json"});
    ASSERT_EQ(alone.exit_code, 0) << alone.err;
    const auto expected = nlohmann::json::parse(alone.out).at("losses").get<std::vector<double>>();
    EXPECT_EQ(expected.size(), 4U);
    EXPECT_EQ(losses_of(ranks, "kept" + number + ".json"), expected);
    EXPECT_EQ(losses_of(ranks, "kept" + number + ".json"), expected);
    EXPECT_EQ(losses_of(ranks, "swapped" + number + ".json"), expected);
  }
}

TEST_F(Mpirun, OneRankWithAnotherPlanIsNamed) {
  const Outcome outcome =
      mpirun("-n 1 " + spillway("execute kept2.json") + " : -n 1 " + spillway("execute swapped2.json"));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(complaints(outcome),
              testing::ElementsAre(HasSubstr("rank 1 differs from rank 0: found plan or schedule: ")));
}

TEST_F(Mpirun, OneRankWithAnotherTraceIsNamed) {
  // The same decisions for a trace that was recorded another time: a plan holds its trace's hash.
  ok({"profile", "mlp", "--set", "width=64", "--set", "inputs=48", "--batch", "8", "-o", "again.json"});
  nlohmann::ordered_json plan = nlohmann::ordered_json::parse(content_of(folder() / "kept2.json"));
  const ProgramResult hash = run_spillway(folder(), {"tune", "again.json", "-o", "again.plan.json"});
  ASSERT_EQ(hash.exit_code, 0) << hash.err;
  plan["trace"] = nlohmann::ordered_json::parse(content_of(folder() / "again.plan.json"))["trace"];
  write_content(folder() / "other2.json", plan.dump());
  const Outcome outcome =
      mpirun("-n 1 " + spillway("execute kept2.json") + " : -n 1 " + spillway("execute other2.json"));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(complaints(outcome), testing::ElementsAre(HasSubstr("rank 1 differs from rank 0: found ")));
}

TEST_F(Mpirun, OneRankWithAnotherSeedIsNamed) {
  const Outcome outcome =
      mpirun("-n 1 " + spillway("execute kept2.json") + " : -n 1 " + spillway("execute kept2.json --seed 3"));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(complaints(outcome), testing::ElementsAre("spillway: rank 0: rank 1 differs from rank 0: found seed: 3, "
                                                        "rank 0 has seed: 1"));
}

TEST_F(Mpirun, AsManyRanksAsThePlanIsForMustRun) {
  const Outcome outcome = mpirun("-n 3 " + spillway("execute kept2.json"));
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(complaints(outcome), testing::ElementsAre("spillway: rank 0: the plan is for 2 ranks, 3 run; start it "
                                                        "with 'mpirun -n 2 spillway execute'"));
  const ProgramResult alone = run_spillway(folder(), {"execute", "kept2.json"});
  EXPECT_EQ(alone.exit_code, 2);
  EXPECT_EQ(alone.err, "spillway: the plan is for 2 ranks, 1 runs; start it with 'mpirun -n 2 spillway execute'\n");
}

TEST_F(Mpirun, OneRankWithOtherKernelsIsNamed) {
  const Outcome outcome = mpirun("-n 1 " + spillway("execute kept2.json --steps 1000000 --device cpu:threads=1") +
                                 " : -n 1 " + spillway("execute kept2.json --device cpu:threads=2"));
  EXPECT_EQ(outcome.exit_code, 3);
  ASSERT_EQ(complaints(outcome).size(), 1U) << outcome.err;
  EXPECT_THAT(complaints(outcome)[0], testing::StartsWith("spillway: rank 1: this device runs with threads = 2, the "
                                                          "trace was recorded with 1"));
}

TEST_F(Mpirun, OneRankWithTooLittleMemoryIsNamedAndNothingIsWritten) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer takes more memory than the limit";
#endif
  ok({"profile", "mlp", "--set", "width=3072", "--set", "inputs=3072", "--set", "depth=3", "-o", "wide.json"});
  ok({"tune", "wide.json", "--platform", "machine.json", "--gpus", "2", "-o", "wide2.json"});  // an arena of 500 MB
  const Outcome outcome = mpirun("-n 1 " + spillway("execute wide2.json --steps 1000000 --checkpoint never") +
                                 " : -n 1 sh -c 'ulimit -d 300000; exec " +
                                 spillway("execute wide2.json --steps 1000000 --checkpoint never'"));
  EXPECT_EQ(outcome.exit_code, 3);
  ASSERT_EQ(complaints(outcome).size(), 1U) << outcome.err;
  EXPECT_THAT(complaints(outcome)[0], testing::AllOf(testing::StartsWith("spillway: rank 1: "), HasSubstr("MiB")));
  EXPECT_FALSE(fs::exists(folder() / "never") && !fs::is_empty(folder() / "never"));
}

TEST_F(Mpirun, ThePlatformOfRanksIsMeasuredAndTaken) {
  const Outcome outcome = mpirun("-n 2 " + spillway("profile --machine -o here.json"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("2, "));
  ok({"tune", "trace.json", "--platform", "here.json", "-o", "here.plan.json"});
  const nlohmann::json plan = nlohmann::json::parse(content_of(folder() / "here.plan.json"));
  EXPECT_EQ(plan.at("platform").at("gpus_per_node"), 2);
  EXPECT_TRUE(plan.contains("reduction"));
}

TEST_F(Mpirun, OneTimelineHoldsAllRanksAndComparesWithThePrediction) {
  const Outcome outcome = mpirun("-n 3 " + spillway("execute swapped3.json --steps 3 --timeline all.json"));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  std::set<int> gpus;
  const nlohmann::json all = nlohmann::json::parse(content_of(folder() / "all.json"));
  for (const auto& stream : all.at("streams")) gpus.insert(stream.at("gpu").get<int>());
  EXPECT_THAT(gpus, testing::ElementsAre(0, 1, 2));
  ok({"simulate", "swapped3.json", "--timeline", "predicted.json"});
  const ProgramResult compared =
      run_spillway(folder(), {"compare", "predicted.json", "all.json", "--tolerance", "1000000%"});
  EXPECT_EQ(compared.exit_code, 0) << compared.err;
}

TEST_F(Mpirun, OneRankWithoutItsFileEndsAll) {
  const Outcome outcome =
      mpirun("-n 1 " + spillway("execute kept2.json --steps 1000000") + " : -n 1 " + spillway("execute missing.json"));
  EXPECT_EQ(outcome.exit_code, 2);
  ASSERT_EQ(complaints(outcome).size(), 1U) << outcome.err;
  EXPECT_THAT(complaints(outcome)[0], HasSubstr("spillway: rank 1: missing.json"));
}

class KilledRank : public Mpirun, public testing::WithParamInterface<int> {};

TEST_P(KilledRank, EndsAllAndLeavesTheLastCheckpointWhole) {
  const fs::path checkpoints = folder() / ("checkpoints" + std::to_string(GetParam()));
  // Each rank writes its process id down and becomes the program.
  const std::string pid = "pid" + std::to_string(GetParam()) + ".";
  const std::string rank =
      "sh -c 'echo $$ > " + pid + "$OMPI_COMM_WORLD_RANK; exec " +
      spillway("execute swapped3.json --steps 1000000 --checkpoint " + checkpoints.string() + " --checkpoint-every 1'");
  Outcome outcome;
  std::thread run([&] { outcome = mpirun("-n 3 " + rank); });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto files = [&] {
    std::error_code none;
    int count = 0;
    for (fs::directory_iterator at(checkpoints, none), end; !none && at != end; at.increment(none)) ++count;
    return count;
  };
  while (files() < 2 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  pid_t process = 0;
  std::ifstream(folder() / (pid + std::to_string(GetParam()))) >> process;
  ASSERT_GT(process, 0);
  ::kill(process, SIGKILL);
  run.join();
  EXPECT_EQ(outcome.exit_code, 137) << outcome.err;  // mpirun's own; 124 would be the time limit
  for (int other = 0; other < 3; ++other) {
    pid_t left = 0;
    std::ifstream(folder() / (pid + std::to_string(other))) >> left;
    EXPECT_TRUE(ends(left)) << "rank " << other << " still runs";
  }
  // What is there is whole: another number of ranks goes on from it.
  std::string newest;
  for (const fs::directory_entry& file : fs::directory_iterator(checkpoints)) {
    const std::string name = file.path().filename().string();
    if (name.ends_with(".safetensors")) newest = std::max(newest, name);
  }
  const std::string digits = newest.substr(newest.find('-') + 1);
  const Outcome resumed =
      mpirun("-n 2 " + spillway("execute kept2.json --resume --json --steps " + std::to_string(std::stol(digits) + 1) +
                                " --checkpoint " + checkpoints.string()));
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(nlohmann::json::parse(resumed.out).at("losses").size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Each, KilledRank, testing::Values(0, 1, 2));

}  // namespace
}  // namespace spillway
