// What `spillway show` says of what a GPU told of itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/good_files.h"
#include "tests/cli/program.h"

namespace spillway {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class DeviceView : public testing::Test {
 protected:
  DeviceView() { copy_good_files(folder_.path()); }
  [[nodiscard]] std::string shown() const {
    const ProgramResult result = run_spillway(folder_.path(), {"show", "chain.trace.json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
  void replace(const std::string& from, const std::string& to) const {
    edit(folder_.path() / "chain.trace.json", from, to);
  }

  TemporaryFolder folder_;
};

TEST_F(DeviceView, IsLeftOutOfATraceWithoutIt) {
  EXPECT_THAT(shown(), Not(testing::AnyOf(HasSubstr("driver"), HasSubstr("clocks"), HasSubstr("device's kernels"),
                                          HasSubstr("throttled"), HasSubstr("precision"))));
}

TEST_F(DeviceView, SaysThatKernelsMayRoundToTf32) {
  replace("\"device\": \"cpu\", \"library\"", "\"device\": \"cuda:0,tf32\", \"library\"");
  EXPECT_THAT(shown(), testing::ContainsRegex("precision +TF32: convolutions and products may round"));
}

TEST_F(DeviceView, ShowsDriverClocksAndKernels) {
  replace("\"threads\": 1}",
          "\"threads\": 1, \"driver\": \"580.65.06 (CUDA 13.0)\", \"tracer\": \"CUPTI 13.0.1\", \"clocks\": "
          "{\"sm_megahertz\": 1410, \"reasons\": [\"the power cap\"], \"throttled\": true}}");
  // The first kernel of the chain is its layers' forward op, 1 ms each.
  replace("\"repeats\": 1}",
          "\"repeats\": 1, \"device_seconds\": 0.0009, \"device_kernels\": [\"pad\", \"product\"], "
          "\"throttled\": true}");
  EXPECT_THAT(shown(), AllOf(HasSubstr("580.65.06 (CUDA 13.0)"), HasSubstr("SM 1410 MHz, held down by the power cap"),
                             HasSubstr("2 seen by CUPTI 13.0.1"), HasSubstr("1 distinct op, under load too"),
                             testing::ContainsRegex("pad \\+ product +[12] +1\\.00 ms +900 us")));
}

TEST_F(DeviceView, ShowsTheLayoutsThatWereTriedAndAStepInOneGo) {
  EXPECT_THAT(shown(), Not(HasSubstr("layout")));
  replace("\"batches\": [",
          "\"layouts\": [{\"layout\": \"channels_last\", \"batch\": 1, \"seconds\": 0.012, \"workspace_bytes\": 4096},"
          " {\"layout\": \"channels_first\", \"batch\": 1, \"seconds\": 0.014, \"workspace_bytes\": 0}],"
          " \"steps_in_place\": [{\"batch\": 1, \"apart_seconds\": 0.02, \"ops_seconds\": 0.018, "
          "\"step_seconds\": 0.019}], \"batches\": [");
  EXPECT_THAT(shown(),
              AllOf(HasSubstr("channels_last 12.0 ms, workspace 4.00 KiB; channels_first 14.0 ms, workspace 0 B"),
                    HasSubstr("19.0 ms (-5.0 %)")));
}

}  // namespace
}  // namespace spillway
