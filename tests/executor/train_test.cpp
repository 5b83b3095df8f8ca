#include "executor/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/error.h"
#include "device/spec.h"
#include "tests/support/training.h"

namespace spillway {
namespace {

namespace fs = std::filesystem;

class Train : public testing::Test {
 protected:
  Train() : folder_(fs::temp_directory_path() / ("spillway_train_" + std::to_string(getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Train() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }
  [[nodiscard]] TrainRequest request(const Schedule& schedule, std::int64_t steps) const {
    TrainRequest request;
    request.trace = &trace_;
    request.schedule = &schedule;
    request.steps = steps;
    return request;
  }
  static TrainResult run(const TrainRequest& request) { return train(*make_device(parse_device("cpu")), request); }
  static std::string complaint(const TrainRequest& request) {
    try {
      static_cast<void>(run(request));
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  }

  Trace trace_ = profile_tiny(kTinyUnet);
  Schedule kept_ = *schedule_at(trace_, "in-memory", 1.0);
  Schedule swapped_ = *smallest_schedule(trace_, "swap-all");

 private:
  fs::path folder_;
};

TEST_F(Train, ResumedContinuesToTheLastBitEvenUnderAnotherPlan) {
  const std::vector<float> whole = run(request(kept_, 6)).losses;
  TrainRequest first = request(kept_, 3);
  first.checkpoint = path("checkpoints");
  EXPECT_THAT(run(first).losses, testing::ElementsAre(whole[0], whole[1], whole[2]));
  TrainRequest second = request(swapped_, 6);
  second.checkpoint = path("checkpoints");
  second.resume = true;
  const TrainResult result = run(second);
  EXPECT_EQ(result.first_step, 3);
  EXPECT_THAT(result.losses, testing::ElementsAre(whole[3], whole[4], whole[5]));
}

TEST_F(Train, WithACheckpointThatHasAllStepsDoesNothing) {
  TrainRequest again = request(kept_, 2);
  again.checkpoint = path("checkpoints");
  EXPECT_EQ(run(again).losses.size(), 2U);
  again.resume = true;
  const TrainResult result = run(again);
  EXPECT_TRUE(result.losses.empty());
  EXPECT_EQ(result.completed, 2);
}

TEST_F(Train, SavedWeightsStartAnotherTrainingWhereTheyWere) {
  TrainRequest saving = request(kept_, 2);
  saving.save = path("weights.safetensors");
  static_cast<void>(run(saving));
  TrainRequest starting = request(swapped_, 1);
  const float untrained = run(starting).losses.front();
  starting.weights = saving.save;
  EXPECT_NE(run(starting).losses.front(), untrained);
  TrainRequest in_memory = request(kept_, 1);
  in_memory.weights = saving.save;
  EXPECT_EQ(run(starting).losses, run(in_memory).losses);
}

TEST_F(Train, StopsAfterTheRunningStepWithACheckpoint) {
  std::atomic<bool> stop{false};
  TrainRequest stopped = request(swapped_, 100);
  stopped.checkpoint = path("checkpoints");
  stopped.stop = &stop;
  stopped.progress = [&](const StepReport& report) { stop = report.step == 2; };
  const TrainResult result = run(stopped);
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.completed, 2);
  EXPECT_TRUE(fs::exists(path("checkpoints/step-000002.safetensors")));
}

TEST_F(Train, FollowsTheLearningRate) {
  TrainRequest still = request(swapped_, 3);
  still.learning_rate = LearningRate{.kind = LearningRate::Kind::constant, .base = 1e-30};
  TrainRequest data_only = request(kept_, 3);
  data_only.learning_rate = still.learning_rate;
  const std::vector<float> losses = run(still).losses;
  EXPECT_EQ(losses, run(data_only).losses);
  EXPECT_NE(losses, run(request(kept_, 3)).losses);
}

TEST_F(Train, TimesEveryInstructionWhenAsked) {
  TrainRequest timed = request(swapped_, 2);
  timed.timeline = true;
  const TrainResult result = run(timed);
  ASSERT_TRUE(result.timeline.has_value());
  EXPECT_EQ(result.timeline->events.size(), swapped_.instructions.size());
  for (const TimelineEvent& event : result.timeline->events) {
    EXPECT_LE(event.start, event.end) << event.name;
    EXPECT_LE(event.end, result.timeline->step) << event.name;
    for (const InstructionId wait : swapped_.instructions[event.instruction].waits) {
      EXPECT_GE(event.start, result.timeline->events[wait.index()].end) << event.name;
    }
  }
  for (const ResidentBytes& point : result.timeline->resident) EXPECT_LE(point.bytes, swapped_.arena_bytes);
}

TEST_F(Train, IsTheSameToTheLastBitWhetherAStepIsTracedOrNot) {
  const auto content = [](const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  TrainRequest plain = request(swapped_, 3), traced = request(swapped_, 3);
  plain.save = path("plain.safetensors");
  traced.save = path("traced.safetensors");
  traced.checkpoint = path("checkpoints");
  traced.timeline = true;
  const TrainResult expected = run(plain), found = run(traced);
  EXPECT_FALSE(expected.traced_step.has_value());
  ASSERT_TRUE(found.timeline && found.traced_step);
  EXPECT_GE(*found.traced_step, found.timeline->step);  // loading the batch belongs to it too
  EXPECT_EQ(found.losses, expected.losses);
  EXPECT_EQ(found.completed, 3);
  EXPECT_EQ(found.step_seconds.size(), 3U);  // not of the traced steps
  EXPECT_FALSE(content(*plain.save).empty());
  EXPECT_EQ(content(*traced.save), content(*plain.save));

  traced.steps = plain.steps = 4;
  traced.resume = true;
  traced.timeline = false;
  EXPECT_THAT(run(traced).losses, testing::ElementsAre(run(plain).losses.back()));
}

TEST_F(Train, RefusesATraceOfAnotherMachine) {
  trace_.provenance.threads = 7;
  EXPECT_THAT(complaint(request(kept_, 1)),
              testing::StartsWith("this device runs with threads = 1, the trace was recorded with 7: "));
  trace_.provenance.threads = 1;
  trace_.provenance.instruction_set = "avx1024";
  EXPECT_THAT(complaint(request(kept_, 1)), testing::HasSubstr("the trace was recorded with avx1024"));
}

TEST_F(Train, RefusesToResumeWithAnotherSeedOrWithoutADirectory) {
  TrainRequest first = request(kept_, 1);
  first.checkpoint = path("checkpoints");
  static_cast<void>(run(first));
  EXPECT_THAT(complaint(first), testing::HasSubstr("checkpoints"));  // it would mix two trainings
  first.resume = true;
  first.seed = 2;
  EXPECT_THAT(complaint(first),
              testing::EndsWith("was made with --seed 1, found --seed 2; give the same seed to resume"));
  first.checkpoint.reset();
  EXPECT_EQ(complaint(first), "--resume: needs --checkpoint DIR, the directory to resume from");
}

TEST_F(Train, RefusesAScheduleThatIsNotSafe) {
  Schedule unsafe = swapped_;
  for (Instruction& instruction : unsafe.instructions) instruction.waits.clear();
  EXPECT_THAT(complaint(request(unsafe, 1)), testing::StartsWith("the schedule isn't safe to run ("));
}

}  // namespace
}  // namespace spillway
