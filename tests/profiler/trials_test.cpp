// What is chosen, on a device whose kernels take what the test says.
#include "profiler/trials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/error.h"
#include "device/spec.h"
#include "device/wrappers/forward.h"
#include "models/models.h"
#include "profiler/profile.h"
#include "tests/support/error_of.h"
#include "tests/support/unflushed.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// A kernel of a kind of op in a layout.
struct Told {
  std::string id;
  Bytes workspace;
  Seconds seconds;
  bool last_resort = false;
  bool is_refused = false;  ///< when it runs
};

/// A CPU device that passes for a GPU: it has channels_first too, and convolutions have the kernels that it was told.
/// Whatever runs is the CPU's channels_last kernel; an event pair tells what was told of it.
class Scripted final : public ForwardingDevice {
 public:
  Scripted(Device& inner, std::map<Layout, std::vector<Told>> convolutions)
      : ForwardingDevice(inner), convolutions_(std::move(convolutions)), properties_(inner.properties()) {
    properties_.on_host = false;
    properties_.memory = 256_MiB;  // so that no copy of a gigabyte is timed
  }

  [[nodiscard]] const DeviceProperties& properties() const override { return properties_; }
  [[nodiscard]] std::vector<KernelOption> kernels(const OpDescription& op) override {
    std::vector<KernelOption> options;
    for (const Told& kernel : told(op))
      options.push_back({kernel.id, kernel.workspace + own(op).workspace, kernel.last_resort});
    return options;
  }
  [[nodiscard]] KernelId prepare(const OpDescription& op, const std::string& id) override {
    const KernelId kernel = ForwardingDevice::prepare(in_last(op), own(op).id);
    for (const Told& each : told(op)) {
      if (each.id == id) told_of_[kernel] = each;
    }
    return kernel;
  }
  void enqueue_op(StreamId stream, KernelId kernel, const OpAddresses& addresses) override {
    last_ = told_of_.at(kernel);
    if (last_.is_refused) throw machine_error("refused: " + last_.id);
    ++runs_[last_.id];
    ++ops_;
    ForwardingDevice::enqueue_op(stream, kernel, addresses);
  }
  void enqueue_record(StreamId stream, EventId event, std::uint64_t value) override {
    ops_before_[event] = ops_;
    ForwardingDevice::enqueue_record(stream, event, value);
  }
  [[nodiscard]] Seconds elapsed(EventId from, EventId to) const override {
    const bool around_an_op = ops_before_.at(to) == ops_before_.at(from) + 1;
    return around_an_op ? last_.seconds : ForwardingDevice::elapsed(from, to);
  }

  [[nodiscard]] int runs(const std::string& id) const { return runs_.contains(id) ? runs_.at(id) : 0; }

 private:
  static OpDescription in_last(OpDescription op) {
    op.layout = Layout::channels_last;
    return op;
  }
  [[nodiscard]] KernelOption own(const OpDescription& op) { return inner_kernels(op).front(); }
  [[nodiscard]] std::vector<KernelOption> inner_kernels(const OpDescription& op) {
    return ForwardingDevice::kernels(in_last(op));
  }
  [[nodiscard]] std::vector<Told> told(const OpDescription& op) {
    if (std::holds_alternative<Convolution>(op.attributes)) return convolutions_[op.layout];
    return {{"only", {}, {1e-6}}};
  }

  std::map<Layout, std::vector<Told>> convolutions_;
  DeviceProperties properties_;
  std::map<KernelId, Told> told_of_;
  std::map<std::string, int> runs_;
  std::map<EventId, int> ops_before_;  // its last record
  int ops_ = 0;
  Told last_;
};

class Trials : public testing::Test {
 protected:
  static Graph unet3d() {
    return make_model("unet3d", parse_settings({"side=8", "depth=2", "base=4", "channels=2"}), "sgd");
  }
  Trace traced(Device& device, Graph graph, std::optional<Layout> layout = {}) {
    constexpr RepeatRule kOnce{.least = 1, .least_of_long = 1, .long_op = {0.1}, .enough = {0}, .most = 1};
    return profile(device,
                   {.graph = std::move(graph), .batches = {1, 2}, .command = "", .layout = layout, .repeats = kOnce});
  }
  /// The kernels that the trace's convolutions have.
  static std::vector<std::string> chosen(const Trace& trace) {
    std::vector<std::string> ids;
    for (const OpId op : trace.graph.ops.ids()) {
      if (std::holds_alternative<Convolution>(trace.graph.ops[op].attributes))
        ids.push_back(cost(trace.batches.front(), op).kernel);
    }
    return ids;
  }

  std::unique_ptr<Device> machine_ = make_device(parse_device("cpu:threads=1"));
  Unflushed cpu_{*machine_};
};

TEST_F(Trials, TheFastestKernelIsTakenWhereverItStands) {
  Scripted device(cpu_, {{Layout::channels_last, {{"a", {}, {3e-3}}, {"b", {}, {1e-3}}, {"c", {}, {2e-3}}}}});
  EXPECT_THAT(chosen(traced(device, unet3d())), AllOf(testing::Not(IsEmpty()), testing::Each("b")));
}

TEST_F(Trials, AmongEquallyFastOnesTheOneWithLessWorkspaceIsTaken) {
  Scripted device(cpu_, {{Layout::channels_last, {{"a", 64_KiB, {1e-3}}, {"b", 1_KiB, {1.01e-3}}, {"c", {}, {2e-3}}}}});
  EXPECT_THAT(chosen(traced(device, unet3d())), testing::Each("b"));
}

TEST_F(Trials, AHopelessKernelRunsOnceWhenItWasWarmedUp) {
  Scripted device(cpu_, {{Layout::channels_last, {{"a", {}, {1e-3}}, {"b", {}, {9e-3}}}}});
  std::vector<Variant> variants = variants_of(device, unet3d(), {1}, Layout::channels_last, 4);
  Workbench bench(device, 64_MiB);
  OpTimer timer(bench, {1e9}, repeat_rule(device.properties()));
  int tried = 0;
  const Winner winner =
      try_out(device, timer, std::move(variants), [&](const DistinctOp&, std::size_t, std::size_t) { ++tried; });
  EXPECT_GT(tried, 0);
  EXPECT_EQ(device.runs("b"), 2 * tried);
  EXPECT_EQ(device.runs("a"), 4 * tried);
}

TEST_F(Trials, AKernelThatIsRefusedWhenItRunsIsPassedOver) {
  const Told refused{.id = "a", .workspace = {}, .seconds = {1e-3}, .is_refused = true};
  Scripted device(cpu_, {{Layout::channels_last, {refused, {"b", {}, {2e-3}}}}});
  EXPECT_THAT(chosen(traced(device, unet3d())), testing::Each("b"));
  Scripted none(cpu_, {{Layout::channels_last, {refused, refused}}});
  try {
    static_cast<void>(traced(none, unet3d()));
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "refused: a");
  }
}

TEST_F(Trials, ALastResortRunsOnlyWhereThereIsNothingElse) {
  const Told slow{.id = "slow", .workspace = {}, .seconds = {1e-3}, .last_resort = true};
  Scripted device(cpu_, {{Layout::channels_last, {{"a", {}, {2e-3}}, slow}}});
  EXPECT_THAT(chosen(traced(device, unet3d())), testing::Each("a"));
  EXPECT_EQ(device.runs("slow"), 0);
  Scripted alone(cpu_, {{Layout::channels_last, {slow}}});
  EXPECT_THAT(chosen(traced(alone, unet3d())), testing::Each("slow"));
}

TEST_F(Trials, OnlyTheFirstFewKernelsAreTried) {
  Scripted device(cpu_,
                  {{Layout::channels_last,
                    {{"a", {}, {5e-3}}, {"b", {}, {4e-3}}, {"c", {}, {3e-3}}, {"d", {}, {2e-3}}, {"e", {}, {1e-3}}}}});
  EXPECT_THAT(chosen(traced(device, unet3d())), testing::Each("d"));
  EXPECT_EQ(device.runs("e"), 0);
}

TEST_F(Trials, TheLayoutWhoseOpsAreFasterIsTakenForTheWholeNetwork) {
  for (const Layout faster : {Layout::channels_last, Layout::channels_first}) {
    const auto seconds = [&](Layout layout) { return Seconds{layout == faster ? 1e-3 : 2e-3}; };
    Scripted device(cpu_, {{Layout::channels_last, {{"last", 3_KiB, seconds(Layout::channels_last)}}},
                           {Layout::channels_first, {{"first", 5_KiB, seconds(Layout::channels_first)}}}});
    const Trace trace = traced(device, unet3d());
    EXPECT_EQ(trace.graph.layout, faster);
    EXPECT_THAT(chosen(trace), testing::Each(faster == Layout::channels_last ? "last" : "first"));
  }
}

TEST_F(Trials, TheTraceTellsWhatTheLayoutWasChosenBy) {
  Scripted device(cpu_, {{Layout::channels_last, {{"last", 3_KiB, {1e-3}}}},
                         {Layout::channels_first, {{"first", 500_KiB, {2e-3}}}}});
  const Trace trace = traced(device, unet3d());
  const auto convolutions = static_cast<double>(chosen(trace).size());
  ASSERT_THAT(trace.layouts, SizeIs(4));  // both, at both batches
  for (std::size_t i = 0; i < 4; ++i) {
    const LayoutTrial& trial = trace.layouts[i];
    const bool last = i < 2;
    EXPECT_EQ(trial.layout, last ? Layout::channels_last : Layout::channels_first);
    EXPECT_EQ(trial.batch, i % 2 == 0 ? 1 : 2);
    // All else that depends on the layout took a microsecond each.
    EXPECT_NEAR(trial.seconds.value, convolutions * (last ? 1e-3 : 2e-3), 1e-3);
    EXPECT_EQ(trial.workspace >= 500_KiB, !last);
  }
}

TEST_F(Trials, AnAskedForLayoutIsTheOnlyOneTried) {
  Scripted device(cpu_,
                  {{Layout::channels_last, {{"last", {}, {1e-3}}}}, {Layout::channels_first, {{"first", {}, {2e-3}}}}});
  const Trace trace = traced(device, unet3d(), Layout::channels_first);
  EXPECT_EQ(trace.graph.layout, Layout::channels_first);
  EXPECT_THAT(trace.layouts, IsEmpty());
  EXPECT_EQ(device.runs("last"), 0);
}

TEST_F(Trials, WhereNoOpDependsOnTheLayoutThereIsNothingToTry) {
  Scripted device(cpu_, {});
  const Graph mlp = make_model("mlp", parse_settings({"width=16", "depth=1", "inputs=16", "classes=3"}), "sgd");
  EXPECT_THAT(variants_of(device, mlp, {1}, {}, 4), SizeIs(1));
}

TEST_F(Trials, ADeviceWithoutKernelsForALayoutIsAskedForTheOtherOnly) {
  const std::vector<Variant> variants = variants_of(cpu_, unet3d(), {1}, {}, 4);
  ASSERT_THAT(variants, SizeIs(1));
  EXPECT_EQ(variants.front().graph.layout, Layout::channels_last);
  EXPECT_THAT(variants.front().candidates, testing::Each(SizeIs(1)));  // its own order is trusted
}

TEST_F(Trials, ALayoutThatTheDeviceCannotRunIsRefusedWhenAskedFor) {
  EXPECT_THAT(error_of([&] { static_cast<void>(traced(cpu_, unet3d(), Layout::channels_first)); }),
              AllOf(HasSubstr("3: op "), HasSubstr("has no kernel for"), HasSubstr("with channels first")));
}

}  // namespace
}  // namespace spillway
