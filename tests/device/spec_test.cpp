#include "device/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "core/error.h"

namespace spillway {
namespace {

using testing::HasSubstr;

TEST(DeviceSpec, LinkSetsBothDirections) {
  const DeviceSpec spec = parse_device("cpu:link=0.85GB/s,start=10us,threads=3");
  EXPECT_EQ(spec.backend, "cpu");
  EXPECT_EQ(spec.in, BytesPerSecond{0.85e9});
  EXPECT_EQ(spec.out, BytesPerSecond{0.85e9});
  EXPECT_EQ(spec.both, std::nullopt);
  EXPECT_DOUBLE_EQ(spec.start.value().value, 10e-6);
  EXPECT_EQ(spec.threads, 3);
}

TEST(DeviceSpec, OneDirectionOverridesTheLinkWhereverItStands) {
  for (const std::string text : {"cpu:link=0.5GB/s,out=0.25GB/s", "cpu:out=0.25GB/s,link=0.5GB/s"}) {
    const DeviceSpec spec = parse_device(text);
    EXPECT_EQ(spec.in, BytesPerSecond{0.5e9});
    EXPECT_EQ(spec.out, BytesPerSecond{0.25e9});
  }
}

TEST(DeviceSpec, RanksTakeTheirNodesGpusInTurn) {
  const DeviceSpec any = parse_device("cuda");
  EXPECT_EQ(to_text(for_rank(any, 0, 4)), "cuda:0");
  EXPECT_EQ(to_text(for_rank(any, 3, 4)), "cuda:3");
  EXPECT_EQ(to_text(for_rank(parse_device("cuda:tf32"), 3, 4)), "cuda:3,tf32");
  EXPECT_EQ(to_text(for_rank(any, 3, 1)), "cuda:0");  // each rank sees its own alone
  EXPECT_EQ(to_text(for_rank(any, 3, 0)), "cuda");    // no driver: that is told later
  EXPECT_EQ(to_text(for_rank(parse_device("cuda:1"), 3, 4)), "cuda:1");
  EXPECT_EQ(to_text(for_rank(parse_device("cpu"), 3, 4)), "cpu");
}

struct TextCase {
  std::string name, given, shortest;
};
class DeviceText : public testing::TestWithParam<TextCase> {};

TEST_P(DeviceText, IsTheShortestThatReadsBack) {
  const DeviceSpec spec = parse_device(GetParam().given);
  const std::string text = to_text(spec);
  EXPECT_EQ(text, GetParam().shortest);
  const DeviceSpec again = parse_device(text);
  EXPECT_EQ(again.in, spec.in);
  EXPECT_EQ(again.out, spec.out);
  EXPECT_EQ(again.both, spec.both);
  EXPECT_EQ(again.start, spec.start);
  EXPECT_EQ(again.threads, spec.threads);
  EXPECT_EQ(again.gpu, spec.gpu);
  EXPECT_EQ(again.tf32, spec.tf32);
}

INSTANTIATE_TEST_SUITE_P(
    Spec, DeviceText,
    testing::Values(TextCase{"Plain", "cpu", "cpu"}, TextCase{"AnyGpu", "cuda", "cuda"},
                    TextCase{"OneGpu", "cuda:2", "cuda:2"}, TextCase{"OneGpuWithTf32", "cuda:2,tf32", "cuda:2,tf32"},
                    TextCase{"Tf32First", "cuda:tf32,2", "cuda:2,tf32"},
                    TextCase{"AnyGpuWithTf32", "cuda:tf32", "cuda:tf32"},
                    TextCase{"Link", "cpu:link=0.85GB/s", "cpu:link=0.85GB/s"},
                    TextCase{"EqualDirections", "cpu:in=0.15GB/s,out=0.15GB/s", "cpu:link=0.15GB/s"},
                    TextCase{"OneDirection", "cpu:out=2GB/s", "cpu:out=2GB/s"},
                    TextCase{"Everything", "cpu:threads=4,start=0.0025s,both=1.5GB/s,out=1GB/s,in=0.9GB/s",
                             "cpu:in=0.9GB/s,out=1GB/s,both=1.5GB/s,start=2.5ms,threads=4"},
                    TextCase{"NoStart", "cpu:start=0s", "cpu:start=0"}),
    [](const auto& row) { return row.param.name; });

TEST(DeviceSpec, Tf32IsReadFromWhatTracesAndPlansHave) {
  for (const std::string text : {"cuda:0,tf32", "cuda:tf32", "cuda:tf32,1"}) EXPECT_TRUE(says_tf32(text)) << text;
  for (const std::string text : {"", "cuda", "cuda:0", "cuda:0,tf3", "cpu:tf32", "tf32"})
    EXPECT_FALSE(says_tf32(text)) << text;
}

struct MistakeCase {
  std::string name, text, message;
};
class DeviceMistake : public testing::TestWithParam<MistakeCase> {};

TEST_P(DeviceMistake, IsNamed) {
  try {
    static_cast<void>(parse_device(GetParam().text));
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input);
    EXPECT_EQ(error.what(), "--device " + GetParam().text + ": " + GetParam().message);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Spec, DeviceMistake,
    testing::Values(MistakeCase{"Backend", "cpus", "no device 'cpus'; did you mean 'cpu'?"},
                    MistakeCase{"StrangeBackend", "abacus", "no device 'abacus'; expected one of cpu, cuda"},
                    MistakeCase{"NearKey", "cpu:thread=1", "no setting 'thread'; did you mean 'threads'?"},
                    MistakeCase{"StrangeKey", "cpu:elephants=1",
                                "no setting 'elephants'; expected one of link, in, out, both, start, threads"},
                    MistakeCase{"NoValue", "cpu:link", "link: found no value, expected 'link=...'"},
                    MistakeCase{"EmptyValue", "cpu:both=", "both: found no value, expected 'both=...'"},
                    MistakeCase{"Twice", "cpu:in=1GB/s,in=2GB/s", "'in' is set twice"},
                    MistakeCase{"NoThreads", "cpu:threads=0", "threads: found '0', expected a whole number above 0"},
                    MistakeCase{"NoGpusNumber", "cuda:first",
                                "found 'first', expected a GPU's number, from 0, or tf32: cuda:0,tf32"},
                    MistakeCase{"NothingBehindAComma", "cuda:0,",
                                "found '', expected a GPU's number, from 0, or tf32: cuda:0,tf32"},
                    MistakeCase{"TwoGpus", "cuda:0,1", "a GPU's number is given twice"},
                    MistakeCase{"Tf32Twice", "cuda:tf32,0,tf32", "tf32 is given twice"},
                    MistakeCase{"Tf32OnAProcessor", "cpu:tf32",
                                "no setting 'tf32'; expected one of link, in, out, both, start, threads"},
                    MistakeCase{"HalfAThread", "cpu:threads=1.5",
                                "threads: found '1.5', expected a whole number above 0"}),
    [](const auto& row) { return row.param.name; });

TEST(DeviceSpec, BadUnitsAreNamedWithTheirSetting) {
  for (const std::string setting : {"link=1GB", "in=0GB/s", "out=fast", "both=-1GB/s", "start=1GB/s"}) {
    try {
      static_cast<void>(parse_device("cpu:" + setting));
      ADD_FAILURE() << setting << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::input);
      EXPECT_THAT(error.what(), HasSubstr("--device cpu:" + setting + ": " + setting.substr(0, setting.find('='))));
    }
  }
}

TEST(DeviceSpec, CudaIsRefusedByTheMachine) {
  try {
    static_cast<void>(make_device(parse_device("cuda:0")));
    FAIL() << "a CUDA device was made";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::machine);
    EXPECT_STREQ(error.what(), "this build has no CUDA device");
  }
}

}  // namespace
}  // namespace spillway
