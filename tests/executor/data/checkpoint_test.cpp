#include "executor/data/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/executor/data/small_graph.h"
#include "tests/executor/data/support.h"

namespace spillway {
namespace {

using testing::ElementsAre;

/// A step with a weight, its running mean, a moment and the step's number, and values for them.
struct Training {
  Training() {
    weights = graph.lasting("fc.weights", Role::parameter, ElementType::float32, {2, 2});
    mean = graph.lasting("norm.mean", Role::state, ElementType::float32, {2});
    moment = graph.lasting("fc.weights.m", Role::optimizer_state, ElementType::float32, {4});
    step = graph.lasting("step", Role::state, ElementType::int64, {1});
    graph.op(RunningStatistics{}, {mean}, {mean});
  }
  [[nodiscard]] std::vector<BufferValues> values() const {
    return {{graph.buffer(weights), bytes_of(weight_values)},
            {graph.buffer(mean), bytes_of(mean_values)},
            {graph.buffer(moment), bytes_of(moment_values)},
            {graph.buffer(step), bytes_of(step_values)}};
  }
  void save(const std::string& directory, std::int64_t at_step) const {
    save_checkpoint(directory, graph.graph, values(), {.step = at_step, .seed = 0, .trace_sha256 = "", .losses = {}});
  }

  SmallGraph graph;
  TensorId weights, mean, moment, step;
  std::vector<float> weight_values{1, 2, 3, 4}, mean_values{5, 6}, moment_values{7, 8, 9, 10};
  std::vector<std::int64_t> step_values{42};
};

TEST(Checkpoint, GivesBackValuesAndProgressExactly) {
  const TemporaryDirectory directory;
  const Training training;
  const Progress progress{.step = 42,
                          .seed = std::numeric_limits<std::uint64_t>::max(),
                          .trace_sha256 = "ab12",
                          .losses = {0.1, 1.0 / 3, 1e-300, -0.0, std::numeric_limits<double>::infinity()}};
  save_checkpoint(directory / "new/deep", training.graph.graph, training.values(), progress);
  ASSERT_EQ(newest_checkpoint(directory / "new/deep"), directory / "new/deep/step-000042.safetensors");
  const Checkpoint read(*newest_checkpoint(directory / "new/deep"), training.graph.graph);
  EXPECT_EQ(read.progress(), progress);
  EXPECT_TRUE(std::signbit(read.progress().losses[3]));
  ASSERT_EQ(read.values().size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(read.values()[i].buffer, training.values()[i].buffer);
    EXPECT_EQ(numbers<char>(read.values()[i].bytes), numbers<char>(training.values()[i].bytes));
  }
}

TEST(Checkpoint, KeepsALossThatIsNoNumber) {
  const TemporaryDirectory directory;
  const Training training;
  save_checkpoint(directory.path(), training.graph.graph, training.values(),
                  {.step = 1, .seed = 0, .trace_sha256 = "", .losses = {std::nan("")}});
  const Checkpoint read(directory / "step-000001.safetensors", training.graph.graph);
  ASSERT_EQ(read.progress().losses.size(), 1U);
  EXPECT_TRUE(std::isnan(read.progress().losses.front()));
}

TEST(Checkpoint, KeepsTheLastTwoAndOtherPeoplesFiles) {
  const TemporaryDirectory directory;
  const Training training;
  write_text(directory / "step-7.safetensors", "not ours: we write six digits");
  write_text(directory / "notes.txt", "keep");
  for (const std::int64_t step : {1, 2, 3, 10}) training.save(directory.path(), step);
  EXPECT_THAT(directory.names(),
              ElementsAre("notes.txt", "step-000003.safetensors", "step-000010.safetensors", "step-7.safetensors"));
}

TEST(Checkpoint, IsNewestByNumberNotByName) {
  const TemporaryDirectory directory;
  const Training training;
  training.save(directory.path(), 999'999);
  training.save(directory.path(), 1'000'000);
  EXPECT_EQ(newest_checkpoint(directory.path()), directory / "step-1000000.safetensors");
}

TEST(Checkpoint, OfALowerStepDoesNotRemoveItself) {
  const TemporaryDirectory directory;
  const Training training;
  for (const std::int64_t step : {500, 600, 1}) training.save(directory.path(), step);
  EXPECT_THAT(directory.names(),
              ElementsAre("step-000001.safetensors", "step-000500.safetensors", "step-000600.safetensors"));
}

TEST(Checkpoint, IsLookedForInADirectoryThatMayBeMissing) {
  const TemporaryDirectory directory;
  EXPECT_EQ(newest_checkpoint(directory / "none"), std::nullopt);
  EXPECT_NO_THROW(require_no_checkpoint(directory / "none"));
}

TEST(Checkpoint, OfAnEarlierTrainingIsNotMixedWithANewOne) {
  const TemporaryDirectory directory;
  const Training training;
  training.save(directory.path(), 3);
  EXPECT_EQ(complaint(directory / "step-000003.safetensors", ExitCode::input,
                      [&] { require_no_checkpoint(directory.path()); }),
            ": found the checkpoint of an earlier training, expected none; use --resume or another directory");
}

TEST(Checkpoint, SaysHowItDiffersFromTheGraph) {
  const TemporaryDirectory directory;
  const Training training;
  training.save(directory.path(), 1);
  SmallGraph other;
  other.lasting("fc.weights", Role::parameter, ElementType::float32, {2, 3});
  other.lasting("step", Role::state, ElementType::float32, {1});
  other.lasting("fc.bias", Role::parameter, ElementType::float32, {2});
  const std::string path = directory / "step-000001.safetensors";
  EXPECT_EQ(complaint(path, ExitCode::input, [&] { Checkpoint(path, other.graph); }),
            ": lacks 'fc.bias'; has what 'small' has not: 'norm.mean', 'fc.weights.m'; 'fc.weights' is F32 (2, 2), "
            "expected F32 (2, 3), "
            "'step' is I64 (1,), expected F32 (1,)");
}

TEST(Checkpoint, NamesThreeOfManyDifferences) {
  const TemporaryDirectory directory;
  const Training training;
  training.save(directory.path(), 1);
  SmallGraph other = training.graph;
  for (const char* name : {"a", "b", "c", "d", "e"}) other.lasting(name, Role::parameter, ElementType::float32, {1});
  const std::string path = directory / "step-000001.safetensors";
  EXPECT_EQ(complaint(path, ExitCode::input, [&] { Checkpoint(path, other.graph); }),
            ": lacks 'a', 'b', 'c' and 2 more");
}

struct BadMetadata {
  const char* name;
  Metadata metadata;
  std::string complaint;
};
std::string name_of(const testing::TestParamInfo<BadMetadata>& info) {
  return info.param.name;
}
class CheckpointMetadata : public testing::TestWithParam<BadMetadata> {};

TEST_P(CheckpointMetadata, IsRefusedInOneLine) {
  const TemporaryDirectory directory;
  const Training training;
  const std::string path = directory / "a";
  save_values(path, training.graph.graph, training.values(), GetParam().metadata);
  EXPECT_EQ(complaint(path, ExitCode::input, [&] { Checkpoint(path, training.graph.graph); }), GetParam().complaint);
}

Metadata but(const std::string& key, const std::string& value) {
  Metadata metadata{{"format", "spillway-checkpoint"},
                    {"version", "1"},
                    {"step", "3"},
                    {"seed", "1"},
                    {"trace_sha256", ""},
                    {"losses", "1 2"}};
  metadata[key] = value;
  return metadata;
}

INSTANTIATE_TEST_SUITE_P(
    Files, CheckpointMetadata,
    testing::Values(
        BadMetadata{"None", {}, ": /__metadata__/format: found nothing, expected what a checkpoint of ours says"},
        BadMetadata{"Weights", but("format", "spillway-weights"),
                    ": /__metadata__/format: found 'spillway-weights', expected 'spillway-checkpoint'"},
        BadMetadata{"Version", but("version", "2"), ": /__metadata__/version: found '2', expected '1'"},
        BadMetadata{"Step", but("step", "-3"), ": /__metadata__/step: found '-3', expected a whole number"},
        BadMetadata{"Seed", but("seed", "1x"), ": /__metadata__/seed: found '1x', expected a whole number"},
        BadMetadata{"Losses", but("losses", "1 two"),
                    ": /__metadata__/losses: found 'two', expected numbers with a blank between them"}),
    name_of);

TEST(Weights, AreParametersAndRunningStatisticsUnderTheirShapes) {
  const TemporaryDirectory directory;
  const Training training;
  save_weights(directory / "w.safetensors", training.graph.graph, training.values());
  const SafetensorsFile file(directory / "w.safetensors");
  ASSERT_EQ(file.arrays().size(), 2U);
  EXPECT_THAT(file.find("fc.weights")->extents, ElementsAre(2, 2));
  EXPECT_THAT(numbers<float>(file.find("norm.mean")->bytes), ElementsAre(5, 6));

  const Weights read(directory / "w.safetensors", training.graph.graph);
  ASSERT_EQ(read.values().size(), 2U);
  EXPECT_EQ(numbers<float>(read.values().front().bytes), training.weight_values);
}

TEST(Weights, MayComeFromACheckpoint) {
  const TemporaryDirectory directory;
  const Training training;
  training.save(directory.path(), 1);
  const Weights read(directory / "step-000001.safetensors", training.graph.graph);
  EXPECT_EQ(numbers<float>(read.values().front().bytes), training.weight_values);
}

TEST(Weights, OfAnotherNetworkAreRefused) {
  const TemporaryDirectory directory;
  const Training training;
  save_weights(directory / "w", training.graph.graph, training.values());
  SmallGraph other;
  other.lasting("fc.weights", Role::parameter, ElementType::float32, {2, 2});
  EXPECT_EQ(complaint(directory / "w", ExitCode::input, [&] { Weights(directory / "w", other.graph); }),
            ": has what 'small' has not: 'norm.mean'");
}

}  // namespace
}  // namespace spillway
