#include "profiler/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/io/files.h"
#include "core/op_description.h"
#include "device/spec.h"
#include "device/wrappers/forward.h"
#include "models/models.h"
#include "tests/support/unflushed.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

/// As few runs as it takes: what is measured here doesn't matter.
const RepeatRule kOnce{.least = 1, .least_of_long = 1, .long_op = {0.1}, .enough = {0}, .most = 1};

Graph mlp() {
  return make_model("mlp", parse_settings({"width=16", "depth=2", "inputs=16", "classes=3"}), "adam");
}
Graph unet3d() {
  return make_model("unet3d", parse_settings({"side=8", "depth=3", "base=4", "channels=2"}), "sgd");
}

/// One profile of two batches, for many questions.
class Profile : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    machine_ = make_device(parse_device("cpu:threads=1"));
    device_ = std::make_unique<Unflushed>(*machine_);
    trace_ = std::make_unique<Trace>(
        profile(*device_, {.graph = mlp(),
                           .batches = {3, 1, 3},
                           .command = "profile mlp",
                           .repeats = kOnce,
                           .progress = [](const ProfileProgress& progress) { told_.push_back(progress); }}));
  }
  static void TearDownTestSuite() {
    trace_.reset();
    device_.reset();
    machine_.reset();
    told_.clear();
  }
  static std::string error_of(Device& device, const ProfileRequest& request, ExitCode code) {
    try {
      static_cast<void>(profile(device, request));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      return error.what();
    }
    return "no error";
  }

  inline static std::unique_ptr<Device> machine_, device_;
  inline static std::unique_ptr<Trace> trace_;
  inline static std::vector<ProfileProgress> told_;
};

void expect_every_cost(Device& device, const Trace& trace) {
  for (const BatchCosts& costs : trace.batches) {
    ASSERT_EQ(costs.kernel_of.size(), trace.graph.ops.size());
    for (const OpId id : trace.graph.ops.ids()) {
      const KernelCost& found = cost(costs, id);
      SCOPED_TRACE(trace.graph.ops[id].name);
      EXPECT_GT(found.seconds.value, 0);
      EXPECT_GE(found.seconds_while_copying, found.seconds);
      EXPECT_GE(found.spread, 0);
      EXPECT_GE(found.repeats, 1);
      const auto options = device.kernels(describe(trace.graph, id, costs.batch));
      const auto listed = std::ranges::find(options, found.kernel, &KernelOption::id);
      ASSERT_NE(listed, options.end()) << found.kernel;
      EXPECT_EQ(found.workspace, listed->workspace);
    }
  }
}

TEST_F(Profile, EveryOpHasACostAndAKernelThatTheDeviceLists) {
  expect_every_cost(*device_, *trace_);
}

TEST_F(Profile, EveryOpOfA3dUNetHasACostAndAKernelThatTheDeviceLists) {
  expect_every_cost(*device_, profile(*device_, {.graph = unet3d(), .batches = {1}, .command = "", .repeats = kOnce}));
}

TEST_F(Profile, BatchesAreAscendingAndEachIsThereOnce) {
  ASSERT_EQ(trace_->batches.size(), 2U);
  EXPECT_EQ(trace_->batches[0].batch, 1);
  EXPECT_EQ(trace_->batches[1].batch, 3);
}

TEST_F(Profile, EqualOpsShareOneCost) {
  for (const BatchCosts& costs : trace_->batches) {
    for (const OpId a : trace_->graph.ops.ids()) {
      for (const OpId b : trace_->graph.ops.ids()) {
        const bool equal = describe(trace_->graph, a, costs.batch) == describe(trace_->graph, b, costs.batch);
        EXPECT_EQ(costs.kernel_of[a] == costs.kernel_of[b], equal)
            << trace_->graph.ops[a].name << " and " << trace_->graph.ops[b].name;
      }
    }
  }
}

TEST_F(Profile, TellsItsProgressOnceForEachDistinctOp) {
  // 15 of the smaller batch (see distinct_ops_test.cpp), two sums of gradients, and, without these and the five
  // updates, 10 of the larger.
  ASSERT_EQ(told_.size(), 27U);
  std::set<std::size_t> ops;
  for (std::size_t i = 0; i < told_.size(); ++i) {
    ops.insert(told_[i].op);
    EXPECT_EQ(told_[i].count, 27U);
    EXPECT_EQ(told_[i].batch, i < 17 ? 1 : 3);
    if (i > 0) {
      EXPECT_GE(told_[i].elapsed, told_[i - 1].elapsed);
    }
  }
  EXPECT_EQ(ops.size(), 27U);
  EXPECT_EQ(told_.front().name, trace_->graph.ops[OpId(0)].name);
}

TEST_F(Profile, ComparesAStepInPlaceWithItsOpsApart) {
  ASSERT_EQ(trace_->steps.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const BatchCosts& costs = trace_->batches[i];
    const StepInPlace& step = trace_->steps[i];
    EXPECT_EQ(step.batch, costs.batch);
    EXPECT_GT(step.ops.value, 0);
    EXPECT_GT(step.step.value, 0);
    Seconds apart;
    std::map<std::string_view, double> factors;
    for (const OpId op : trace_->graph.ops.ids()) {
      const KernelCost& kernel = cost(costs, op);
      apart += kernel.seconds;
      const auto [known, is_new] = factors.emplace(kind_of(trace_->graph.ops[op].attributes), kernel.cache_factor);
      EXPECT_EQ(kernel.cache_factor, known->second) << trace_->graph.ops[op].name;
      EXPECT_GT(kernel.cache_factor, 0);
      EXPECT_LE(kernel.cache_factor, 1);  // on a host
    }
    EXPECT_DOUBLE_EQ(step.apart.value, apart.value);
  }
}

TEST_F(Profile, SaysWhereItComesFrom) {
  const Provenance& from = trace_->provenance;
  EXPECT_EQ(from.command, "profile mlp");
  EXPECT_EQ(from.device, "cpu:threads=1");
  EXPECT_EQ(from.threads, 1);
  EXPECT_EQ(from.library, device_->properties().library);
  EXPECT_EQ(from.instruction_set, device_->properties().instruction_set);
  EXPECT_THAT(from.machine, AllOf(HasSubstr(device_->properties().name), HasSubstr("Linux")));
  EXPECT_THAT(from.date, testing::MatchesRegex("20..-..-..T..:..:..Z"));
}

TEST_F(Profile, DescribesTheMachineItRanOn) {
  const Platform& machine = trace_->machine;
  EXPECT_EQ(machine.name, device_->properties().name);
  EXPECT_EQ(machine.device, "cpu:threads=1");
  EXPECT_EQ(machine.device_memory, device_->properties().memory);
  EXPECT_EQ(machine.host_memory, device_->properties().host_memory);
  EXPECT_GT(machine.host_link.in.value.value, 0);
  EXPECT_GT(machine.host_link.out.value.value, 0);
  EXPECT_THAT(machine.host_link.in.source, testing::StartsWith("measured: "));
  EXPECT_GT(trace_->interference_rate.value, 0);
  EXPECT_GE(trace_->issue.value, 0);
}

TEST_F(Profile, CountsTheMemoryOfTheProcessButNotArenaAndHostPool) {
  // A process that has oneDNN loaded is some megabytes large; the areas for copies alone are 256 MiB.
  EXPECT_GT(trace_->process_bytes, 1_MiB);
  EXPECT_LT(trace_->process_bytes, 256_MiB);
}

TEST_F(Profile, ReadsBackEqualFromItsFile) {
  const std::string path = testing::TempDir() + "profiled_trace.json";
  std::ofstream(path) << trace_text(*trace_);
  EXPECT_EQ(read_trace(path), *trace_);
  std::filesystem::remove(path);
}

TEST_F(Profile, RefusesNoBatchAndBatchesBelowOne) {
  EXPECT_EQ(error_of(*device_, {.graph = mlp(), .batches = {}, .command = ""}, ExitCode::input),
            "profile: found no batch, expected at least one");
  EXPECT_EQ(error_of(*device_, {.graph = mlp(), .batches = {2, 0}, .command = ""}, ExitCode::input),
            "profile: found batch 0, expected above 0");
}

TEST_F(Profile, NamesAnOpWhoseOperandsDoNotFit) {
  // hidden1.linear at batch 64: x and y of 64 x 16 floats (4096 bytes each), weights of 16 x 16 (1024), bias of 16
  // (64): 9280 bytes.
  Unflushed device(*device_, Bytes{9279});
  EXPECT_EQ(error_of(device, {.graph = mlp(), .batches = {64}, .command = ""}, ExitCode::machine),
            "op 'hidden1.linear' at batch 64: its operands alone need 9.06 KiB (9280 bytes), but device cpu:threads=1 "
            "has 9.06 KiB; try a smaller batch");
}

/// A device that has no kernel for one kind of op.
class Without final : public ForwardingDevice {
 public:
  Without(Device& inner, std::string_view kind) : ForwardingDevice(inner), kind_(kind) {}
  [[nodiscard]] std::vector<KernelOption> kernels(const OpDescription& op) override {
    if (kind_of(op.attributes) == kind_) return {};
    return ForwardingDevice::kernels(op);
  }

 private:
  std::string_view kind_;
};

TEST_F(Profile, NamesAnOpThatTheDeviceHasNoKernelFor) {
  Without device(*device_, "leaky_relu");
  EXPECT_EQ(error_of(device, {.graph = mlp(), .batches = {1}, .command = ""}, ExitCode::machine),
            "op 'hidden1.relu' at batch 1: device cpu:threads=1 has no kernel for leaky_relu");
}

}  // namespace
}  // namespace spillway
