// Training on several ranks, which are threads here; tests/cli runs the same with mpirun.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/gradients.h"
#include "tests/support/ranks.h"
#include "tests/support/training.h"

namespace spillway {
namespace {

constexpr std::int64_t kSteps = 4;

std::vector<std::vector<float>> losses_on(int ranks, const Planned& planned, const ChangeRequest& change = {}) {
  return losses_on_ranks(ranks, planned, kSteps, change);
}

class SeveralRanks : public testing::TestWithParam<TinyModel> {};

TEST_P(SeveralRanks, TrainAsOneWithAllTheirSamples) {
  const Trace trace = profile_tiny(GetParam());
  for (const int ranks : {2, 3}) {
    const auto found = losses_on(ranks, plan_for({.trace = &trace, .ranks = ranks}));
    expect_trained_as_one_batch(found[0], GetParam(), ranks);
  }
}

TEST_P(SeveralRanks, HaveTheSameLossesWhateverThePlanAndTheBuckets) {
  const Trace trace = profile_tiny(GetParam());
  const auto expected = losses_on(2, plan_for({.trace = &trace, .ranks = 2}));
  EXPECT_EQ(expected[0], expected[1]);
  EXPECT_EQ(losses_on(2, plan_for({.trace = &trace, .ranks = 2})), expected);
  EXPECT_EQ(losses_on(2, plan_for({.trace = &trace, .ranks = 2, .policy = "threshold", .share = 0.7})), expected);
  GradientReduction single{.buckets = {}, .updates_behind = 2};
  for (const BufferId gradient : parameter_gradients(trace.graph)) single.buckets.push_back({gradient});
  EXPECT_EQ(
      losses_on(2, plan_for({.trace = &trace, .ranks = 2, .policy = "swap-all", .share = 0.7, .reduction = single})),
      expected);
}

INSTANTIATE_TEST_SUITE_P(Networks, SeveralRanks, testing::Values(kTinyMlp, kTinyUnet),
                         [](const auto& tested) { return tested.param.name; });

class Ranks : public testing::Test {
 protected:
  static std::string complaint(const std::function<void()>& run) {
    try {
      run();
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }
  Trace trace_ = profile_tiny(kTinyMlp);
  Planned planned_ = plan_for({.trace = &trace_, .ranks = 2});
};

TEST_F(Ranks, AnotherSeedOnOneOfThemIsRefused) {
  const auto other_seed = [](int rank, TrainRequest& request) { request.seed = rank == 1 ? 9 : 1; };
  EXPECT_EQ(complaint([&] { static_cast<void>(losses_on(2, planned_, other_seed)); }),
            "rank 1 differs from rank 0: found seed: 9, rank 0 has seed: 1");
}

/// Eight samples of every input in DIRECTORY, all bytes zero but the last sample's first one.
void write_data(const std::filesystem::path& directory, const Graph& graph, char first_byte_of_last) {
  std::filesystem::create_directories(directory);
  constexpr std::int64_t kSamples = 8;
  for (const Tensor& tensor : graph.tensors) {
    if (graph.buffers[tensor.buffer].role != Role::input) continue;
    std::string shape = std::to_string(kSamples) + ",";
    for (const std::int64_t extent : tensor.extents) shape += std::to_string(extent) + ",";
    const char* type = tensor.type == ElementType::float32 ? "<f4" : "<i8";
    std::string header = std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    header.resize(117, ' ');
    header += '\n';
    std::string content(static_cast<std::size_t>(bytes(tensor, kSamples).value), '\0');
    content[content.size() / kSamples * (kSamples - 1)] = first_byte_of_last;
    std::ofstream file(directory / (tensor.name + ".npy"), std::ios::binary);
    file << std::string("\x93NUMPY\x01\x00\x76\x00", 10) << header << content;
  }
}

TEST_F(Ranks, OtherDataOnOneOfThemIsRefused) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("spillway_ranks_data_" + std::to_string(getpid()));
  write_data(folder / "0", trace_.graph, '\0');
  write_data(folder / "1", trace_.graph, '\1');
  const auto own_data = [&](int rank, TrainRequest& request) {
    request.data = (folder / std::to_string(rank)).string();
  };
  EXPECT_THAT(
      complaint([&] { static_cast<void>(losses_on(2, planned_, own_data)); }),
      testing::StartsWith("rank 1 differs from rank 0: found data: files, 1 batches an epoch, the first with "));
  const auto same_data = [&](int, TrainRequest& request) { request.data = (folder / "1").string(); };
  EXPECT_EQ(losses_on(2, planned_, same_data)[1].size(), static_cast<std::size_t>(kSteps));
  std::filesystem::remove_all(folder);
}

TEST_F(Ranks, AsManyMustRunAsThePlanIsFor) {
  EXPECT_EQ(complaint([&] { static_cast<void>(losses_on(3, planned_)); }),
            "the plan is for 2 ranks, 3 run; start it with 'mpirun -n 2 spillway execute'");
  EXPECT_EQ(complaint([&] { static_cast<void>(losses_of(planned_.step, planned_.schedule, 1)); }),
            "the plan is for 2 ranks, 1 runs; start it with 'mpirun -n 2 spillway execute'");
}

TEST_F(Ranks, ACheckpointGoesOnWithAnotherNumberOfThem) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("spillway_ranks_" + std::to_string(getpid()));
  std::filesystem::remove_all(folder);
  const auto with_checkpoint = [&](std::int64_t steps, bool resume) {
    return [=](int, TrainRequest& request) {
      request.steps = steps;
      request.checkpoint = folder.string();
      request.resume = resume;
    };
  };
  const auto whole = losses_on(2, planned_);
  const auto first = losses_on(2, planned_, with_checkpoint(2, false));
  const auto rest = losses_on(2, planned_, with_checkpoint(kSteps, true));
  EXPECT_THAT(first[0], testing::ElementsAre(whole[0][0], whole[0][1]));
  EXPECT_THAT(rest[0], testing::ElementsAre(whole[0][2], whole[0][3]));
  const Planned three = plan_for({.trace = &trace_, .ranks = 3});
  EXPECT_EQ(losses_on(3, three, with_checkpoint(kSteps + 1, true))[2].size(), 1U);
  std::filesystem::remove_all(folder);
}

TEST_F(Ranks, OneThatIsAskedToStopStopsAllAfterTheSameStep) {
  std::atomic<bool> stop{false};
  const auto losses = losses_on(2, planned_, [&](int rank, TrainRequest& request) {
    request.steps = 1000;
    if (rank != 1) return;
    request.stop = &stop;
    request.progress = [&](const StepReport& report) { stop = report.step == 3; };
  });
  EXPECT_EQ(losses[0].size(), 4U);  // the step that was running then was finished
  EXPECT_EQ(losses[1].size(), 4U);
}

}  // namespace
}  // namespace spillway
