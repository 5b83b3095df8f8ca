#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/core/files_on_disk.h"
#include "tests/support/full_platform.h"

namespace spillway {
namespace {

TEST(RoundTrip, AllFilesOfRandomStepsReadBackEqual) {
  std::size_t swaps = 0, recomputes = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const FilesOnDisk files(seed);
    const Trace trace = read_trace(files.path("trace.json"));
    EXPECT_TRUE(trace == files.trace);
    EXPECT_EQ(trace_text(trace), trace_text(files.trace));

    const PlanFile plan = read_plan(files.path("plan.json"));
    EXPECT_TRUE(plan.plan == files.plan);
    EXPECT_TRUE(plan.trace == files.trace);
    EXPECT_EQ(plan_text(plan.plan, trace.graph), plan_text(files.plan, trace.graph));

    const ScheduleFile schedule = read_schedule(files.path("schedule.json"));
    EXPECT_TRUE(schedule.schedule == files.schedule);
    EXPECT_EQ(schedule_text(schedule.schedule, trace.graph), schedule_text(files.schedule, trace.graph));

    EXPECT_TRUE(read_timeline(files.path("timeline.json")) == files.timeline);
    EXPECT_TRUE(read_platform(files.path("platform.json")) == files.trace.machine);
    swaps += files.plan.swaps.size();
    recomputes += files.plan.recomputes.size();
  }
  EXPECT_GT(swaps, 500U);  // the generator makes what the test is about
  EXPECT_GT(recomputes, 50U);
}

TEST(RoundTrip, WhatIsOptionalReadsBackToo) {
  FilesOnDisk files(1);
  files.trace.machine.host_link.both = Rate{{1.5e9}, "vendor \"data\" sheet"};
  files.write("platform.json", platform_text(files.trace.machine));
  EXPECT_EQ(read_platform(files.path("platform.json")), files.trace.machine);
  files.write("platform.json", platform_text(full_platform()));
  EXPECT_EQ(read_platform(files.path("platform.json")), full_platform());

  files.plan.host_capacity = 3_GiB;
  files.plan.prediction = Prediction{{1.5}, {1.25}, {0.25}, 10_B, 20_B, 30_B};
  files.plan.constraints = {.keep = {"enc*"}, .swap = {"w?", "ü/~"}, .recompute = {}};
  files.plan.knobs = {{"ahead", "3"}};
  ASSERT_FALSE(files.plan.swaps.empty());
  files.plan.swaps.front().remark = "stalls 3 ms";
  files.write("plan.json", plan_text(files.plan, files.trace.graph));
  EXPECT_EQ(read_plan(files.path("plan.json")).plan, files.plan);
}

TEST(RoundTrip, WhatOnlyAGpuTellsReadsBackAndIsLeftOutWhereNobodyToldIt) {
  FilesOnDisk files(1);
  EXPECT_THAT(trace_text(files.trace),
              testing::Not(testing::AnyOf(testing::HasSubstr("device_seconds"), testing::HasSubstr("throttled"),
                                          testing::HasSubstr("clocks"))));
  files.trace.provenance.driver = "580.65.06 (CUDA 13.0)";
  files.trace.provenance.tracer = "CUPTI 13.0.1";
  files.trace.provenance.clocks = ClockReading{.sm_megahertz = 1980,
                                               .memory_megahertz = 2619,
                                               .power_limit_watts = 699.5,
                                               .temperature_celsius = -3,
                                               .reasons = {"software power cap"},
                                               .throttled = true};
  KernelCost& cost = files.trace.batches.front().kernels.front();
  cost.device_seconds = Seconds{1.5e-6};
  cost.device_kernels = {"void launch<Relu>(long, Relu)", "reduce"};
  cost.throttled = true;
  files.write("trace.json", trace_text(files.trace));
  EXPECT_EQ(read_trace(files.path("trace.json")), files.trace);
  files.trace.provenance.clocks = ClockReading{};  // a GPU that tells nothing
  files.write("trace.json", trace_text(files.trace));
  EXPECT_EQ(read_trace(files.path("trace.json")), files.trace);
}

TEST(RoundTrip, WhatAChoiceWasMadeByReadsBack) {
  FilesOnDisk files(1);
  files.trace.layouts = {{.layout = Layout::channels_last, .batch = 1, .seconds = {0.25}, .workspace = 3_MiB},
                         {.layout = Layout::channels_first, .batch = 1, .seconds = {0.5}, .workspace = {}}};
  files.trace.steps = {{.batch = 1, .apart = {0.75}, .ops = {0.5}, .step = {0.625}}};
  files.trace.all_reduces = {{.ranks = 2, .points = {{.bytes = 1_KiB, .seconds = {0.125}}}, .by = "NCCL 2"}};
  files.trace.batches.front().kernels.front().cache_factor = 0.875;
  files.write("trace.json", trace_text(files.trace));
  EXPECT_EQ(read_trace(files.path("trace.json")), files.trace);
}

TEST(RoundTrip, PlatformsOfEachKindOfLinksReadBack) {
  using Kind = GpuLinks::Kind;
  const FilesOnDisk files(1);
  for (const Kind kind : {Kind::host, Kind::switches, Kind::bricks, Kind::crossbar}) {
    Platform platform = full_platform();
    platform.gpu_links = GpuLinks{.kind = kind, .rate = Rate{{1e9}, "test"}, .bricks = {}, .start = {}};
    if (kind == Kind::host) platform.gpu_links->rate.reset();
    files.write("platform.json", platform_text(platform));
    EXPECT_EQ(read_platform(files.path("platform.json")), platform);
  }
}

TEST(RoundTrip, EachFileIsKnownByItsKind) {
  const FilesOnDisk files(1);
  for (const std::string kind : {"trace", "plan", "schedule", "timeline", "platform"}) {
    EXPECT_EQ(kind_of_file(files.path(kind + ".json")), kind);
  }
}

TEST(RelativeTo, IsThePathFromTheFolderOfTheFile) {
  EXPECT_EQ(relative_to("/a/b/trace.json", "/a/b/plan.json"), "trace.json");
  EXPECT_EQ(relative_to("/a/b/trace.json", "/a/c/d/plan.json"), "../../b/trace.json");
  Plan plan;
  plan.trace_path = "../t.json";
  EXPECT_EQ(trace_path_of("plans/p.json", plan), "plans/../t.json");
  plan.trace_path = "/t.json";
  EXPECT_EQ(trace_path_of("plans/p.json", plan), "/t.json");
}

TEST(Sha256, GivesThePublishedAnswers) {  // FIPS 180-2, appendix B.1, and of nothing
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace spillway
