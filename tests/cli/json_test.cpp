#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/io/files.h"
#include "sim/simgrid.h"
#include "tests/cli/good_files.h"
#include "tests/cli/program.h"

namespace spillway {
namespace {

using nlohmann::json;

class JsonTest : public testing::Test {
 protected:
  void SetUp() override { copy_good_files(folder_.path()); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] json run(const std::vector<std::string>& arguments) const {
    const ProgramResult result = run_spillway(folder(), arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  }

 private:
  TemporaryFolder folder_;
};

/// Numbers that aren't negative, under all these keys.
void expect_numbers(const json& facts, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    ASSERT_TRUE(facts.contains(key)) << key << " in " << facts;
    ASSERT_TRUE(facts[key].is_number()) << key;
    EXPECT_GE(facts[key].get<double>(), 0) << key;
  }
}

TEST_F(JsonTest, TuneTellsWhatItWroteIntoThePlan) {
  const json facts =
      run({"tune", "chain.trace.json", "--policy", "swap-all", "--capacity", "1100", "--json", "-o", "p"});
  expect_numbers(
      facts, {"step_seconds", "samples_per_second", "stall_seconds", "arena_bytes", "host_bytes", "footprint_bytes"});
  const Plan plan = read_plan((folder() / "p").string()).plan;
  EXPECT_EQ(facts["step_seconds"].get<double>(), plan.prediction->step.value);
  EXPECT_EQ(facts["arena_bytes"].get<std::int64_t>(), plan.prediction->arena.value);
  EXPECT_EQ(facts["capacity_bytes"], 1100);
  EXPECT_LE(facts["arena_bytes"], 1100);
  EXPECT_EQ(facts["footprint_bytes"], 1472);  // worked out beside CapacityTooSmall in bad_input_test.cpp
}

TEST_F(JsonTest, SimulateNamesItsEngine) {
  EXPECT_EQ(run({"simulate", "chain.plan.json", "--json"})["engine"], "replica");
  const std::vector<std::string> by_simgrid{"simulate", "chain.plan.json", "--engine", "simgrid"};
  std::vector<std::string> as_json = by_simgrid;
  as_json.emplace_back("--json");
  if (!simgrid_version()) {
    EXPECT_EQ(run_spillway(folder(), as_json).exit_code, 3);
    return;
  }
  const json facts = run(as_json);
  expect_numbers(facts, {"step_seconds", "samples_per_second", "stall_seconds"});
  EXPECT_EQ(facts["engine"], "simgrid");
  EXPECT_THAT(run_spillway(folder(), by_simgrid).out, testing::HasSubstr("ops aren't slowed down by copies"));
}

TEST_F(JsonTest, SimulateSaysTheSameAsThePlan) {
  const json facts = run({"simulate", "chain.plan.json", "--json"});
  expect_numbers(facts, {"step_seconds", "samples_per_second", "stall_seconds", "arena_bytes", "host_bytes"});
  const Plan plan = read_plan((folder() / "chain.plan.json").string()).plan;
  EXPECT_EQ(facts["step_seconds"].get<double>(), plan.prediction->step.value);
  EXPECT_DOUBLE_EQ(facts["samples_per_second"].get<double>() * facts["step_seconds"].get<double>(), 1);  // batch 1
}

TEST_F(JsonTest, ExecuteTellsALossForEachStepToTheLastBit) {
  const json facts = run({"execute", "mlp.plan.json", "--steps", "4", "--json", "--timeline", "t"});
  expect_numbers(facts, {"steps", "step_seconds", "samples_per_second", "stall_seconds", "arena_bytes", "host_bytes"});
  expect_numbers(facts, {"traced_step_seconds"});
  EXPECT_DOUBLE_EQ(facts.at("tracing_overhead").get<double>(),
                   facts["traced_step_seconds"].get<double>() / facts["step_seconds"].get<double>() - 1);
  ASSERT_EQ(facts.at("losses").size(), 4U);
  // What a person reads are the same floats, by their shortest text.
  const ProgramResult text = run_spillway(folder(), {"execute", "mlp.plan.json", "--steps", "4"});
  for (const json& loss : facts["losses"]) {
    EXPECT_NE(text.out.find("loss " + loss.dump() + " "), std::string::npos) << loss << "\n" << text.out;
  }
}

TEST_F(JsonTest, ExecuteTellsWhatTracingCostOnlyWhereAStepWasTraced) {
  EXPECT_FALSE(run({"execute", "mlp.plan.json", "--steps", "2", "--json"}).contains("tracing_overhead"));
  EXPECT_THAT(run_spillway(folder(), {"execute", "mlp.plan.json", "--steps", "2"}).out,
              testing::Not(testing::HasSubstr("tracing")));
  EXPECT_THAT(run_spillway(folder(), {"execute", "mlp.plan.json", "--steps", "2", "--timeline", "t"}).out,
              testing::ContainsRegex("tracing +[+-][0-9.]+ %: [0-9.]+ [mu]?s for the step in the timeline\n"));
}

TEST_F(JsonTest, CompareTellsStepsStreamsKindsAndOps) {
  const json facts = run({"compare", "chain.timeline.json", "chain.timeline.json", "--json"});
  expect_numbers(facts, {"first_step_seconds", "second_step_seconds", "step_error"});
  EXPECT_EQ(facts["first_step_seconds"], facts["second_step_seconds"]);
  EXPECT_EQ(facts["step_error"], 0);
  const Timeline timeline = read_timeline((folder() / "chain.timeline.json").string());
  EXPECT_EQ(facts.at("streams").size(), timeline.streams.size());
  EXPECT_EQ(facts.at("ops").size(), timeline.events.size());
  for (const json& op : facts["ops"]) EXPECT_EQ(op.at("first_seconds"), op.at("second_seconds"));
}

TEST_F(JsonTest, CtrlCEndsAfterTheRunningStepAndTheTrainingGoesOn) {
  const std::vector<std::string> forever{"execute", "mlp.plan.json",      "--steps",  "100000000", "--checkpoint",
                                         "saved",   "--checkpoint-every", "100000000"};
  Program program(folder(), forever);
  while (program.running() && program.out_so_far().find("step      3") == std::string::npos) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // looks again; what it waits for is in the output
  }
  program.interrupt();
  const ProgramResult stopped = program.wait();
  EXPECT_EQ(stopped.exit_code, 0) << stopped.err;
  EXPECT_NE(stopped.out.find("of 100000000: stopped as asked"), std::string::npos);

  std::vector<std::string> saved;
  for (const auto& entry : std::filesystem::directory_iterator(folder() / "saved")) {
    saved.push_back(entry.path().filename().string());
  }
  ASSERT_EQ(saved.size(), 1U);
  const long done = std::stol(saved.front().substr(std::string("step-").size()));
  EXPECT_GE(done, 3);

  const std::string steps = std::to_string(done + 2);
  const json resumed =
      run({"execute", "mlp.plan.json", "--steps", steps, "--checkpoint", "saved", "--resume", "--json"});
  EXPECT_EQ(resumed.at("first_step"), done);
  const json whole = run({"execute", "mlp.plan.json", "--steps", steps, "--json"});
  EXPECT_EQ(resumed.at("losses"), json::array({whole["losses"][static_cast<std::size_t>(done)],
                                               whole["losses"][static_cast<std::size_t>(done) + 1]}));
}

}  // namespace
}  // namespace spillway
