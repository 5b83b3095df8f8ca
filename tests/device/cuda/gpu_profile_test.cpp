// How ops are timed on a GPU: what differs from the CPU's rules (tests/profiler).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/micro_batches.h"
#include "device/wrappers/forward.h"
#include "device/wrappers/record.h"
#include "models/models.h"
#include "profiler/kernel_observer.h"
#include "profiler/op_timer.h"
#include "profiler/profile.h"
#include "tests/device/cuda/fake_gpu.h"
#include "tests/support/add_in_place.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Command = RecordedCommand::Kind;

constexpr RepeatRule kThreeTimes{
    .least = 3, .least_of_long = 3, .long_op = {10}, .enough = {0}, .most = 3, .load = {0}};

ClockReading reading_of(std::int64_t megahertz, bool throttled) {
  ClockReading reading;
  reading.sm_megahertz = megahertz;
  reading.reasons = {throttled ? "the power cap" : "idling"};
  reading.throttled = throttled;
  return reading;
}

/// A GPU that reads clocks and sees kernels as a test wants.
class Watched final : public ForwardingDevice {
 public:
  explicit Watched(Device& inner) : ForwardingDevice(inner) {}
  std::optional<ClockReading> read_clocks() override { return clocks ? clocks() : std::nullopt; }
  std::optional<ObservedKernels> observe(const std::function<void()>& run) override {
    if (!kernels) return std::nullopt;
    run();
    return kernels();
  }

  std::function<std::optional<ClockReading>()> clocks;
  std::function<ObservedKernels()> kernels;
};

class GpuOpTimer : public testing::Test {
 protected:
  GpuOpTimer() {
    FakeCuda::reset();
    gpu_ = fake_gpu();
    watched_ = std::make_unique<Watched>(*gpu_);
    device_ = recorded(*watched_, log_);
  }
  ~GpuOpTimer() override {
    device_.reset();
    gpu_.reset();
    EXPECT_THAT(FakeCuda::leaks(), IsEmpty());
  }

  /// `room`: how many times the arena holds the operands.
  OpTiming time(const RepeatRule& rule, std::int64_t room = 1) {
    const OpDescription op = add_in_place(1024);
    const KernelOption kernel = device_->kernels(op).front();
    const OperandPlaces places = place_operands(op, kernel.workspace, device_->properties().alignment);
    Workbench bench(*device_, room * places.end);
    log_.clear();
    return OpTimer(bench, {1e9}, rule).time(op, device_->prepare(op, kernel.id), places);
  }
  [[nodiscard]] std::vector<RecordedCommand> of_kind(Command kind) const {
    std::vector<RecordedCommand> found;
    for (const RecordedCommand& command : log_) {
      if (command.kind == kind) found.push_back(command);
    }
    return found;
  }

  std::unique_ptr<Device> gpu_;
  std::unique_ptr<Watched> watched_;
  std::vector<RecordedCommand> log_;
  std::unique_ptr<Device> device_;
};

TEST_F(GpuOpTimer, RunsSevenTimesOrMore) {
  const RepeatRule rule = repeat_rule(device_->properties());
  EXPECT_GE(rule.least, 7);
  EXPECT_GE(rule.least_of_long, 7);
  EXPECT_GE(rule.most, rule.least);
  EXPECT_DOUBLE_EQ(rule.load.value, 2);
}

TEST_F(GpuOpTimer, TheFirstRunIsBehindNoHold) {
  static_cast<void>(time(kThreeTimes));
  const StreamId compute = of_kind(Command::op).front().stream;
  std::vector<Command> before_a_hold;
  for (const RecordedCommand& command : log_) {
    if (command.kind == Command::host_function) break;
    if (command.stream == compute) before_a_hold.push_back(command.kind);
  }
  // The record that is waited for stands between the first run and what belongs to the next one.
  EXPECT_THAT(before_a_hold,
              ElementsAre(Command::cache_flush, Command::op, Command::record, Command::cache_flush, Command::record));
}

TEST_F(GpuOpTimer, EveryRunFindsItsOperandsColdAndIsHeldUntilAllOfItIsEnqueued) {
  static_cast<void>(time(kThreeTimes));
  // One unheld, one to get ready, three alone, three beside copies; a hold each but the first, no other host function.
  EXPECT_EQ(of_kind(Command::op).size(), 8U);
  EXPECT_EQ(of_kind(Command::cache_flush).size(), 8U);
  EXPECT_EQ(of_kind(Command::host_function).size(), 7U);
}

TEST_F(GpuOpTimer, CopiesBesideAnOpWaitForTheHoldToo) {
  // The hold is the compute stream's last command before each run's copies out.
  static_cast<void>(time(kThreeTimes));
  const StreamId compute = of_kind(Command::op).front().stream;
  bool held = false;
  int copies = 0;
  for (const RecordedCommand& command : log_) {
    if (command.stream == compute && command.kind == Command::host_function) held = true;
    if (command.stream == compute && command.kind == Command::op) held = false;
    if (command.kind != Command::swap_out) continue;
    EXPECT_TRUE(held);
    ++copies;
  }
  EXPECT_GT(copies, 0);
}

TEST_F(GpuOpTimer, RunsTakeTurnsAmongOperandsAtOtherAddresses) {
  static_cast<void>(time(kThreeTimes, 3));
  const std::vector<RecordedCommand> ops = of_kind(Command::op);
  std::set<Bytes> addresses;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    addresses.insert(ops[i].inputs[0]);
    EXPECT_EQ(ops[i].inputs[0], ops[i].outputs[0]) << "not in place any more";
    if (i > 0) {
      EXPECT_NE(ops[i].inputs[0], ops[i - 1].inputs[0]);
    }
  }
  EXPECT_EQ(addresses.size(), 3U);
}

TEST_F(GpuOpTimer, WithoutRoomAllRunsUseTheSameOperands) {
  static_cast<void>(time(kThreeTimes, 1));
  std::set<Bytes> addresses;
  for (const RecordedCommand& op : of_kind(Command::op)) addresses.insert(op.inputs[0]);
  EXPECT_EQ(addresses.size(), 1U);
}

TEST_F(GpuOpTimer, AnUnthrottledOpIsTimedOnceAndKeepsItsClocks) {
  watched_->clocks = [] { return reading_of(1980, false); };
  const OpTiming timing = time(kThreeTimes);
  EXPECT_FALSE(timing.throttled);
  EXPECT_EQ(timing.clocks->sm_megahertz, 1980);
  EXPECT_EQ(of_kind(Command::op).size(), 8U);
}

TEST_F(GpuOpTimer, AThrottledOpIsTimedAgainAfterALoad) {
  // Only the first of three runs alone is throttled; the four readings of the second time aren't.
  int readings = 0;
  watched_->clocks = [&] { return reading_of(1980, ++readings == 2); };
  RepeatRule rule = kThreeTimes;
  rule.load = {1e-3};
  const OpTiming timing = time(rule);
  EXPECT_FALSE(timing.throttled);
  EXPECT_EQ(timing.repeats, 3);
  EXPECT_EQ(readings, 8);
  EXPECT_GE(of_kind(Command::op).size(), 8U + 16U + 7U);  // a load is at least 16 runs
}

TEST_F(GpuOpTimer, AnOpThatStaysThrottledIsMarked) {
  watched_->clocks = [] { return reading_of(1410, true); };
  EXPECT_TRUE(time(kThreeTimes).throttled);
}

/// One profile of a small network on a GPU that is watched.
Trace profile_of(Device& device, std::vector<std::string>* warnings = nullptr) {
  ProfileRequest request;
  request.graph = make_model("mlp", parse_settings({"width=16", "depth=1", "inputs=16", "classes=3"}), "sgd");
  request.batches = {2};
  request.command = "test";
  request.repeats = RepeatRule{.least = 1, .least_of_long = 1, .long_op = {0.1}, .enough = {0}, .most = 1, .load = {0}};
  if (warnings != nullptr) request.warn = [=](const std::string& line) { warnings->push_back(line); };
  return profile(device, request);
}

class GpuProfile : public testing::Test {
 protected:
  GpuProfile() {
    FakeCuda::reset();
    gpu_ = fake_gpu();
    watched_ = std::make_unique<Watched>(*gpu_);
  }

  std::unique_ptr<Device> gpu_;
  std::unique_ptr<Watched> watched_;
};

TEST_F(GpuProfile, EveryOpHasTheKernelsAndTheTimeThatTheDeviceSaw) {
  watched_->clocks = [] { return reading_of(1410, true); };
  // Runs of 2 + 1, 2 + 4 and 2 + 1 us: the median is 3 us.
  int calls = 0;
  watched_->kernels = [&] {
    return ObservedKernels{.by = "CUPTI 13.0.1",
                           .kernels = {{"product", {2e-6}}, {"sum", {++calls % 3 == 2 ? 4e-6 : 1e-6}}}};
  };
  const Trace trace = profile_of(*watched_);
  EXPECT_EQ(trace.provenance.tracer, "CUPTI 13.0.1");
  EXPECT_EQ(trace.provenance.driver, gpu_->properties().driver);
  EXPECT_THAT(trace.provenance.driver, HasSubstr("CUDA "));
  ASSERT_TRUE(trace.provenance.clocks);
  EXPECT_EQ(trace.provenance.clocks->sm_megahertz, 1410);
  for (const KernelCost& cost : trace.batches.front().kernels) {
    EXPECT_THAT(cost.device_kernels, ElementsAre("product", "sum"));
    ASSERT_TRUE(cost.device_seconds);
    EXPECT_NEAR(cost.device_seconds->value, 3e-6, 1e-12);
    EXPECT_TRUE(cost.throttled);
  }
}

TEST_F(GpuProfile, WhereNobodyWatchesNothingIsClaimed) {
  std::vector<std::string> warnings;
  const Trace trace = profile_of(*watched_, &warnings);
  EXPECT_EQ(trace.provenance.tracer, "");
  EXPECT_EQ(trace.provenance.clocks, std::nullopt);
  for (const KernelCost& cost : trace.batches.front().kernels) {
    EXPECT_THAT(cost.device_kernels, IsEmpty());
    EXPECT_FALSE(cost.device_seconds);
    EXPECT_FALSE(cost.throttled);
  }
  EXPECT_THAT(warnings, IsEmpty());
}

TEST_F(GpuProfile, UnlessToldOtherwiseOpsRunSevenTimes) {
  ProfileRequest request;
  request.graph = make_model("mlp", parse_settings({"depth=0", "inputs=2", "classes=2"}), "sgd");
  request.batches = {1};
  for (const BatchCosts& costs : profile(*watched_, request).batches) {
    for (const KernelCost& cost : costs.kernels) EXPECT_GE(cost.repeats, 7);
  }
}

TEST_F(GpuProfile, LostKernelsAreToldAndGiveNoTime) {
  watched_->kernels = [] { return ObservedKernels{.by = "CUPTI 13.0.1", .kernels = {{"product", {2e-6}}}, .lost = 1}; };
  std::vector<std::string> warnings;
  const Trace trace = profile_of(*watched_, &warnings);
  for (const KernelCost& cost : trace.batches.front().kernels) EXPECT_FALSE(cost.device_seconds);
  const std::size_t lost = 3 * distinct_ops(with_accumulations(trace.graph), {2}).ops.size();  // three runs of each
  EXPECT_THAT(warnings, ElementsAre("CUPTI 13.0.1 lost sight of " + std::to_string(lost) +
                                    " kernels; an op that it never saw whole has no device time in the trace"));
}

TEST_F(GpuProfile, FarTimesOfDeviceAndEventsAreWarnedOfInOneLine) {
  watched_->kernels = [] { return ObservedKernels{.by = "CUPTI 13.0.1", .kernels = {{"slow", {1000}}}}; };
  std::vector<std::string> warnings;
  static_cast<void>(profile_of(*watched_, &warnings));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_THAT(warnings[0], HasSubstr("kernels and events differ by more than 5 % in "));
}

/// Two ops, 100 us and 200 us by events.
Trace two_ops(double first_seen, double second_seen) {
  Trace trace;
  trace.provenance.tracer = "CUPTI 13.0.1";
  trace.graph = make_model("mlp", parse_settings({"width=16", "depth=1", "inputs=16", "classes=3"}), "sgd");
  BatchCosts costs{.batch = 2, .kernels = {}, .kernel_of = {}};
  costs.kernels.resize(2);
  costs.kernels[0].seconds = {100e-6};
  costs.kernels[0].device_seconds = Seconds{first_seen};
  costs.kernels[1].seconds = {200e-6};
  costs.kernels[1].device_seconds = Seconds{second_seen};
  for (const OpId op : trace.graph.ops.ids()) costs.kernel_of.push_back(op.index() == 0 ? 0 : 1);
  trace.batches.push_back(costs);
  return trace;
}

TEST(ClockDisagreement, IsEmptyUpToFivePercent) {
  EXPECT_EQ(clock_disagreement(two_ops(95.1e-6, 209e-6)), std::nullopt);
}

TEST(ClockDisagreement, NamesTheWorstAndCountsDistinctOps) {
  const Trace trace = two_ops(90e-6, 150e-6);
  EXPECT_EQ(*clock_disagreement(trace),
            "kernels and events differ by more than 5 % in 2 of 2 distinct ops; the worst, -25 %: op '" +
                trace.graph.ops[OpId(1)].name + "' at batch 2, 150 us by CUPTI 13.0.1 and 200 us by events");
}

TEST(ClockDisagreement, IsNoneBelowTheResolutionOfEvents) {
  Trace trace = two_ops(100e-6, 200e-6);
  trace.batches[0].kernels[0].seconds = {2e-6};
  trace.batches[0].kernels[0].device_seconds = Seconds{1.6e-6};  // 20 %, but 0.4 us
  EXPECT_EQ(clock_disagreement(trace), std::nullopt);
}

}  // namespace
}  // namespace spillway
