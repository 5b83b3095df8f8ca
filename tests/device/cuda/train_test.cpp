// Tiny networks through the CUDA device on the fake runtime, from profile to losses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "compile/lower.h"
#include "device/cpu/thread_sanitizer.h"
#include "device/wrappers/forward.h"
#include "executor/train.h"
#include "tests/device/cuda/fake_gpu.h"
#include "tests/support/training.h"
#include "tuner/tune.h"

namespace spillway {
namespace {

constexpr std::int64_t kSteps = 3;

/// Batch norms over a handful of values magnify rounding, so that no two libraries agree on kTinyResnet's losses. Here
/// the last stage has 32 values a channel.
const TinyModel kWiderResnet{"resnet", {"depth=18", "side=128", "classes=10", "base=16"}, 2};
const TinyModel kUnetChannelsFirst = in_layout(kTinyUnet, Layout::channels_first);
const TinyModel kWiderResnetChannelsFirst = in_layout(kWiderResnet, Layout::channels_first);

class OnTheFakeGpu : public testing::TestWithParam<TinyModel> {
 protected:
  OnTheFakeGpu() {
    FakeCuda::reset();
    trace_ = profile_tiny(GetParam(), *fake_gpu());
    // Every kernel of the fake takes as long as a host happens to need; a link that is slow beside it makes plans swap.
    for (HostLink* link : {&trace_.machine.host_link}) {
      link->in = link->out = {{0.2e9}, "assumed: for the test"};
      link->both.reset();
    }
  }

  [[nodiscard]] Schedule planned(const std::string& policy, double share) const {
    TuneRequest request;
    request.trace = &trace_;
    request.platform = trace_.machine;
    request.batch = GetParam().batch;
    request.capacity = {static_cast<std::int64_t>(share * static_cast<double>(footprint(trace_, request.batch).value))};
    request.policy = policy;
    request.evaluations = 40;
    return std::get<Tuned>(tune(request)).schedule;
  }
  [[nodiscard]] std::vector<float> losses(const Schedule& schedule, Issue issue) const {
    const std::unique_ptr<Device> gpu = fake_gpu();
    TrainRequest request;
    request.trace = &trace_;
    request.schedule = &schedule;
    request.steps = kSteps;
    request.issue = issue;
    const TrainResult result = train(*gpu, request);
    EXPECT_EQ(result.issue, issue);
    return result.losses;
  }

  Trace trace_;
};

TEST_P(OnTheFakeGpu, BitsAreTheSameWhateverThePlanEnqueuedAndAsAGraph) {
  const Schedule kept = planned("in-memory", 1);
  const Schedule swapped = planned("threshold", 0.45);
  EXPECT_FALSE(swapped.plan.swaps.empty());
  const std::vector<float> expected = losses(kept, Issue::enqueued);
  EXPECT_EQ(expected.size(), static_cast<std::size_t>(kSteps));
  for (const float loss : expected) EXPECT_TRUE(std::isfinite(loss));
  EXPECT_EQ(losses(kept, Issue::graph), expected);
  EXPECT_EQ(losses(swapped, Issue::enqueued), expected);
  for (const std::uint64_t seed : {1, 2, 3}) {
    FakeCuda::seed(seed);  // another order of what the graph leaves open
    EXPECT_EQ(losses(swapped, Issue::graph), expected) << "seed " << seed;
  }
}

/// Remembers which kernels were launched for the first time in a capture, or behind a host function that may hold its
/// stream: CUDA loads a kernel's code then, for which it may wait for all that is under way.
class FirstLaunches final : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;

  void enqueue_op(StreamId stream, KernelId kernel, const OpAddresses& addresses) override {
    if (launched_.insert(kernel).second && (capturing_ || held_)) ++late_;
    inner().enqueue_op(stream, kernel, addresses);
  }
  void enqueue_host_function(StreamId stream, void (*function)(void*), void* argument) override {
    held_ = true;
    inner().enqueue_host_function(stream, function, argument);
  }
  void wait(EventId event, std::uint64_t value) override {
    held_ = false;
    inner().wait(event, value);
  }
  std::optional<GraphId> capture(const std::function<void()>& enqueue) override {
    capturing_ = true;
    const std::optional<GraphId> graph = inner().capture(enqueue);
    capturing_ = false;
    return graph;
  }
  [[nodiscard]] int late() const { return late_; }
  [[nodiscard]] std::size_t launched() const { return launched_.size(); }

 private:
  std::set<KernelId> launched_;
  bool capturing_ = false, held_ = false;
  int late_ = 0;
};

TEST_P(OnTheFakeGpu, EveryKernelRunsOnceBeforeItIsHeldOrCaptured) {
  const std::unique_ptr<Device> gpu = fake_gpu();
  FirstLaunches profiled(*gpu);
  static_cast<void>(profile_tiny(GetParam(), profiled));
  EXPECT_GT(profiled.launched(), 10U);
  EXPECT_EQ(profiled.late(), 0);

  const Schedule schedule = planned("in-memory", 1);
  const std::unique_ptr<Device> another = fake_gpu();
  FirstLaunches trained(*another);
  TrainRequest training;
  training.trace = &trace_;
  training.schedule = &schedule;
  training.steps = 1;
  training.issue = Issue::graph;
  static_cast<void>(train(trained, training));
  EXPECT_GT(trained.launched(), 10U);
  EXPECT_EQ(trained.late(), 0);
}

/// Counts the events that are recorded.
class CountedRecords final : public ForwardingDevice {
 public:
  using ForwardingDevice::ForwardingDevice;
  void enqueue_record(StreamId stream, EventId event, std::uint64_t value) override {
    ++records_;
    inner().enqueue_record(stream, event, value);
  }
  [[nodiscard]] std::size_t records() const { return records_; }

 private:
  std::size_t records_ = 0;
};

TEST_P(OnTheFakeGpu, StepsWhoseTimesAreReportedRecordNoMoreEventsForATimeline) {
  const Schedule schedule = planned("threshold", 0.45);
  const auto records_after_each_step = [&](bool timeline, Issue issue, std::size_t& in_all) {
    const std::unique_ptr<Device> gpu = fake_gpu();
    CountedRecords counted(*gpu);
    std::vector<std::size_t> records;
    TrainRequest training;
    training.trace = &trace_;
    training.schedule = &schedule;
    training.steps = kSteps;
    training.issue = issue;
    training.timeline = timeline;
    training.progress = [&](const StepReport&) { records.push_back(counted.records()); };
    const TrainResult result = train(counted, training);
    EXPECT_EQ(result.issue, issue);
    EXPECT_EQ(result.timeline.has_value(), timeline);
    in_all = counted.records();
    return records;
  };
  for (const Issue issue : {Issue::enqueued, Issue::graph}) {
    std::size_t plain = 0, traced = 0;
    EXPECT_EQ(records_after_each_step(true, issue, traced), records_after_each_step(false, issue, plain));
    // Two traced steps, each with two events for each instruction at least.
    EXPECT_GE(traced, plain + 4 * schedule.instructions.size());
  }
}

class AgainstTheCpu : public OnTheFakeGpu {};

TEST_P(AgainstTheCpu, LossesAreTheSameButForRounding) {
  const Trace on_cpu = profile_tiny(in_layout(GetParam(), Layout::channels_last));
  const std::vector<float> expected = losses_of(on_cpu, *schedule_at(on_cpu, "in-memory", 1), kSteps);
  const std::vector<float> found = losses(planned("in-memory", 1), Issue::enqueued);
  for (std::size_t step = 0; step < expected.size(); ++step)
    EXPECT_NEAR(found[step], expected[step], 1e-4 * std::abs(expected[step])) << "step " << step;
}

TEST_P(OnTheFakeGpu, NothingIsLeftBehind) {
  static_cast<void>(losses(planned("in-memory", 1), Issue::graph));
  EXPECT_THAT(FakeCuda::leaks(), testing::IsEmpty());
}

#ifdef SPILLWAY_THREAD_SANITIZER  // under which loops over convolutions take minutes
INSTANTIATE_TEST_SUITE_P(Networks, OnTheFakeGpu, testing::Values(kTinyMlp),
                         [](const auto& tested) { return tested.param.name; });
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AgainstTheCpu);
#else
INSTANTIATE_TEST_SUITE_P(Networks, AgainstTheCpu,
                         testing::Values(kTinyMlp, kTinyUnet, kUnetChannelsFirst, kWiderResnet,
                                         kWiderResnetChannelsFirst),
                         [](const auto& tested) { return test_name(tested.param); });
INSTANTIATE_TEST_SUITE_P(Networks, OnTheFakeGpu, testing::Values(kTinyMlp, kTinyUnet, kUnetChannelsFirst, kTinyResnet),
                         [](const auto& tested) { return test_name(tested.param); });
#endif

TEST(FastestIssue, IsChosenAfterBothHaveRun) {
  FakeCuda::reset();
  const Trace trace = profile_tiny(kTinyMlp, *fake_gpu());
  TuneRequest wanted;
  wanted.trace = &trace;
  wanted.platform = trace.machine;
  wanted.batch = kTinyMlp.batch;
  wanted.capacity = footprint(trace, wanted.batch);
  const Schedule schedule = std::get<Tuned>(tune(wanted)).schedule;
  const auto losses = [&](Issue issue) {
    const std::unique_ptr<Device> gpu = fake_gpu();
    TrainRequest training;
    training.trace = &trace;
    training.schedule = &schedule;
    training.steps = 12;
    training.issue = issue;
    return train(*gpu, training).losses;
  };
  const std::uint64_t before = FakeCuda::calls("cudaGraphLaunch");
  const std::vector<float> found = losses(Issue::fastest);
  const std::uint64_t graphs = FakeCuda::calls("cudaGraphLaunch") - before;
  EXPECT_TRUE(graphs == 4 || graphs == 8) << graphs;
  EXPECT_EQ(found, losses(Issue::enqueued));
}

}  // namespace
}  // namespace spillway
