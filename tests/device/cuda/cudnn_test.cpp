#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "device/cuda/cudnn_convolution.h"
#include "device/cuda/cudnn_engine.h"
#include "device/cuda/cudnn_kernels.h"
#include "models/models.h"
#include "tests/support/error_of.h"

// Needs cuDNN, and neither a GPU nor a driver: the GPU is described in tests/device/cuda/data.

namespace spillway {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

CudnnMachine described_machine(const std::string& name) {
  std::ifstream file(std::string(SPILLWAY_SOURCE_DIR) + "/tests/device/cuda/data/" + name + ".json");
  return CudnnMachine(std::string(std::istreambuf_iterator<char>(file), {}));
}

const CudnnMachine& h100() {
  static const CudnnMachine machine = described_machine("h100_sxm");
  return machine;
}

OpDescription with_layout(OpDescription op, Layout layout) {
  op.layout = layout;
  return op;
}

/// The convolutions of a built-in network at its default size, each description once, by the first op that has it.
std::vector<std::pair<std::string, OpDescription>> convolutions_of(const std::string& model, Layout layout) {
  const Graph graph = make_model(model, {});
  std::vector<std::pair<std::string, OpDescription>> found;
  for (std::uint32_t i = 0; i < graph.ops.size(); ++i) {
    const OpDescription op = with_layout(describe(graph, OpId{i}, 1), layout);
    if (!kind_of(op.attributes).starts_with(Convolution::kKind)) continue;
    const auto is_same = [&op](const auto& other) { return other.second == op; };
    if (std::none_of(found.begin(), found.end(), is_same)) found.emplace_back(graph.ops[OpId{i}].name, op);
  }
  return found;
}

OperandDescription activation_of(Extents extents) {
  return {.type = ElementType::float32, .batched = true, .extents = std::move(extents)};
}
OperandDescription parameter_of(Extents extents) {
  return {.type = ElementType::float32, .batched = false, .extents = std::move(extents)};
}

/// 3 x 3, stride 1, 16 channels to 32, 20 pixels square.
OpDescription small_forward(Layout layout = Layout::channels_first) {
  return {.attributes = Convolution{{{3, 3}, {1, 1}, {1, 1}}},
          .layout = layout,
          .inputs = {activation_of({2, 16, 20, 20}), parameter_of({32, 16, 3, 3})},
          .outputs = {activation_of({2, 32, 20, 20})},
          .in_place = {-1}};
}

OpDescription small_weight_gradient() {
  return {.attributes = ConvolutionBackwardWeights{{{3, 3}, {1, 1}, {1, 1}}},
          .layout = Layout::channels_first,
          .inputs = {activation_of({2, 16, 20, 20}), activation_of({2, 32, 20, 20})},
          .outputs = {parameter_of({32, 16, 3, 3}), parameter_of({32})},
          .in_place = {-1, -1}};
}

std::vector<std::string> ids_of(const EngineList& list) {
  std::vector<std::string> ids;
  for (const EngineChoice& choice : list.choices) ids.push_back(choice.id);
  return ids;
}

std::string error_of_plan(const OpDescription& op, const std::string& id) {
  return error_of([&] { static_cast<void>(CudnnConvolution(h100(), op).plan(id)); });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " isn't in " << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

struct NetworkCase {
  std::string name, machine, model;
  Layout layout;
};
void PrintTo(const NetworkCase& network, std::ostream* out) {
  *out << network.name;
}

class CudnnNetworks : public testing::TestWithParam<NetworkCase> {};

TEST_P(CudnnNetworks, EveryConvolutionHasReproducibleFullPrecisionEnginesWithPlans) {
  const CudnnMachine machine = described_machine(GetParam().machine);
  const auto start = std::chrono::steady_clock::now();
  const auto convolutions = convolutions_of(GetParam().model, GetParam().layout);
  std::map<std::string, int> passes;
  fmt::print("{} {}\n{:<38} {:>6} {:>6} {:>12} {:>12}  {}\n", machine.name(), GetParam().model, "op", "listed",
             "usable", "least", "most", "best");
  for (const auto& [name, op] : convolutions) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(is_cudnn_convolution(op));
    const CudnnConvolution convolution(machine, op);
    const EngineList list = convolution.engines(false);
    ASSERT_THAT(list.choices, Not(IsEmpty()));
    const std::vector<std::string> ids = ids_of(list);
    EXPECT_THAT(std::set<std::string>(ids.begin(), ids.end()), SizeIs(ids.size()));
    EXPECT_GT(list.listed, list.choices.size()) << "tensor cores were listed and dropped";
    std::int64_t least = list.choices[0].workspace.value, most = 0;
    for (const EngineChoice& choice : list.choices) {
      EXPECT_THAT(choice.notes,
                  AllOf(Not(Contains("nondeterministic")), Not(Contains("tensor_core")),
                        Not(Contains("down_convert_inputs")), Not(Contains("reduced_precision_reduction"))));
      // Made again from its id alone, it needs the same workspace, and cuDNN says the same of its engine.
      const CudnnPlan plan = convolution.plan(choice.id);
      EXPECT_EQ(plan.workspace, choice.workspace);
      const CudnnDescriptor configuration = std::move(
          plan.plan.children(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, 1).at(0));
      const CudnnEngine asked = engine_of(machine, choice.id), got = engine_of(configuration);
      EXPECT_EQ(got.number, asked.number);
      EXPECT_THAT(got.knobs, IsSupersetOf(asked.knobs));
      least = std::min(least, choice.workspace.value);
      most = std::max(most, choice.workspace.value);
    }
    ++passes[engine_of(machine, ids[0]).pass];
    fmt::print("{:<38} {:>6} {:>6} {:>12} {:>12}  {}\n", name, list.listed, list.choices.size(), to_text(Bytes{least}),
               to_text(Bytes{most}), ids[0].substr(machine.name().size() + 1));
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  fmt::print("{} distinct convolutions in {:.1f} s\n", convolutions.size(), seconds.count());
  const bool biased = GetParam().model == "unet3d";
  EXPECT_GT(passes[biased ? "fprop+bias" : "fprop"], 10);
  EXPECT_GT(passes["dgrad"], 10);
  EXPECT_GT(passes["wgrad"], 10);
}

INSTANTIATE_TEST_SUITE_P(
    Described, CudnnNetworks,
    testing::Values(NetworkCase{"ResnetChannelsFirstOnH100", "h100_sxm", "resnet", Layout::channels_first},
                    NetworkCase{"ResnetChannelsLastOnH100", "h100_sxm", "resnet", Layout::channels_last},
                    NetworkCase{"Unet3dChannelsFirstOnH100", "h100_sxm", "unet3d", Layout::channels_first},
                    NetworkCase{"Unet3dChannelsLastOnH100", "h100_sxm", "unet3d", Layout::channels_last},
                    NetworkCase{"Unet3dChannelsFirstOnA100", "a100_sxm", "unet3d", Layout::channels_first}),
    [](const auto& network) { return network.param.name; });

TEST(CudnnConvolution, ListsTheSameEnginesInTheSameOrderEveryTime) {
  const CudnnConvolution convolution(h100(), small_forward());
  EXPECT_EQ(ids_of(convolution.engines(false)), ids_of(CudnnConvolution(h100(), small_forward()).engines(false)));
  EXPECT_EQ(ids_of(convolution.engines(false)), ids_of(convolution.engines(false)));
}

TEST(CudnnConvolution, ListsTensorCoresOnlyWhereTheyAreAllowed) {
  const CudnnConvolution convolution(h100(), small_forward());
  const EngineList strict = convolution.engines(false), tf32 = convolution.engines(true);
  const auto has_tensor_cores = [](const EngineChoice& choice) {
    return std::count(choice.notes.begin(), choice.notes.end(), "tensor_core") > 0;
  };
  for (const EngineChoice& choice : tf32.choices) {  // FP16 and BF16 aren't TF32
    EXPECT_THAT(choice.notes, Not(Contains("down_convert_inputs"))) << choice.id;
    EXPECT_THAT(choice.notes, Not(Contains("reduced_precision_reduction"))) << choice.id;
  }
  EXPECT_TRUE(std::any_of(tf32.choices.begin(), tf32.choices.end(), has_tensor_cores));
  EXPECT_TRUE(std::none_of(strict.choices.begin(), strict.choices.end(), has_tensor_cores));
  EXPECT_GT(tf32.choices.size(), strict.choices.size());
}

TEST(CudnnConvolution, NamesMachineEngineKnobsAndLayoutInItsIds) {
  const CudnnEngine engine{.pass = "fprop", .number = 70, .knobs = {{2, 1}, {5, -3}}, .layout = "ncdhw"};
  const std::string id = kernel_id(h100(), engine);
  EXPECT_EQ(id, fmt::format("cudnn {}|sm_90x132|fprop engine 70 knobs 2=1,5=-3|ncdhw", cudnn_version()));
  EXPECT_EQ(engine_of(h100(), id), engine);
  const CudnnEngine plain{.pass = "dgrad", .number = 0, .knobs = {}, .layout = "nhwc"};
  EXPECT_EQ(engine_of(h100(), kernel_id(h100(), plain)), plain);
}

TEST(CudnnConvolution, TakesOneDimensionOfSpace) {
  OpDescription op = small_forward();
  op.attributes = Convolution{{{3}, {1}, {1}}};
  op.inputs = {activation_of({2, 16, 100}), parameter_of({32, 16, 3}), parameter_of({32})};
  op.outputs = {activation_of({2, 32, 100})};
  ASSERT_TRUE(is_cudnn_convolution(op));
  const std::vector<std::string> ids = ids_of(CudnnConvolution(h100(), op).engines(false));
  ASSERT_THAT(ids, Not(IsEmpty()));
  EXPECT_THAT(ids[0], AllOf(HasSubstr("|fprop+bias engine "), HasSubstr("|nchw")));
}

TEST(CudnnConvolution, IsNoOtherOpNorOtherTypesNorGroups) {
  OpDescription relu = small_forward(), integers = relu, grouped = relu;
  relu.attributes = LeakyRelu{};
  integers.inputs[0].type = ElementType::int32;
  grouped.inputs[1].extents = {32, 8, 3, 3};
  EXPECT_FALSE(is_cudnn_convolution(relu));
  EXPECT_FALSE(is_cudnn_convolution(integers));
  EXPECT_FALSE(is_cudnn_convolution(grouped));
  EXPECT_TRUE(is_cudnn_convolution(small_forward()));
}

TEST(CudnnConvolution, RefusesATensorThatItsEnginesCannotIndexByName) {
  // 64 * 324^3 = 2 176 782 336 elements; 2^31 = 2 147 483 648.
  OpDescription op{.attributes = ConvolutionBackwardData{{{1, 1, 1}, {1, 1, 1}, {0, 0, 0}}},
                   .layout = Layout::channels_first,
                   .inputs = {activation_of({1, 8, 324, 324, 324}), parameter_of({8, 64, 1, 1, 1})},
                   .outputs = {activation_of({1, 64, 324, 324, 324})},
                   .in_place = {-1}};
  EXPECT_EQ(error_of([&] { CudnnConvolution(h100(), op); }),
            "2: convolution_backward_data: 'dx' [1, 64, 324, 324, 324] has 2176782336 elements, cuDNN takes fewer than "
            "2147483648; use a smaller batch or a smaller model");
}

TEST(CudnnConvolution, RefusesIdsOfOtherVersionsMachinesAndOps) {
  const std::string id = ids_of(CudnnConvolution(h100(), small_forward()).engines(false)).at(0);
  const std::string machine = h100().name();
  EXPECT_EQ(error_of_plan(small_forward(), id), "");

  const std::string older = replaced(id, cudnn_version(), "9.1.0");
  EXPECT_EQ(error_of_plan(small_forward(), older),
            fmt::format("3: kernel '{}': made for cudnn 9.1.0|sm_90x132, found {}; record the trace again with "
                        "'spillway profile'",
                        older, machine));
  const std::string elsewhere = replaced(id, "sm_90x132", "sm_80x108");
  EXPECT_EQ(error_of_plan(small_forward(), elsewhere),
            fmt::format("3: kernel '{}': made for cudnn {}|sm_80x108, found {}; record the trace again with "
                        "'spillway profile'",
                        elsewhere, cudnn_version(), machine));
  EXPECT_EQ(error_of_plan(small_forward(Layout::channels_last), id),
            fmt::format("3: kernel '{}': made for fprop in nchw, this op is fprop in nhwc", id));
  EXPECT_EQ(error_of_plan(small_weight_gradient(), id),
            fmt::format("3: kernel '{}': made for fprop in nchw, this op is wgrad in nchw", id));
  for (const std::string other : {"direct|spillway 1", "", "cudnn 9|sm|fprop engine x knobs -|nchw",
                                  "cudnn 9|sm|fprop engine 1 knobs 2|nchw", "oneDNN|sm|fprop engine 1 knobs -|nchw"}) {
    EXPECT_EQ(error_of_plan(small_forward(), other),
              fmt::format("3: kernel '{}': expected one of cuDNN's, as 'cudnn VERSION|sm_CAPABILITYxCOUNT|PASS engine "
                          "NUMBER knobs TYPE=CHOICE,...|LAYOUT'",
                          other));
  }
}

TEST(CudnnConvolution, RefusesEnginesThatDoNotExistOrHaveNoSuchKnobInOneLine) {
  const CudnnEngine missing{.pass = "fprop", .number = 100000, .knobs = {}, .layout = "nchw"};
  const std::string text = error_of_plan(small_forward(), kernel_id(h100(), missing));
  EXPECT_THAT(text, StartsWith("3: cuDNN: "));
  EXPECT_THAT(text, HasSubstr("fprop engine 100000"));
  EXPECT_EQ(text.find('\n'), std::string::npos);

  CudnnEngine knob = engine_of(h100(), ids_of(CudnnConvolution(h100(), small_forward()).engines(false)).at(0));
  knob.knobs = {{CUDNN_KNOB_TYPE_TILE_SIZE, 1000000}};
  EXPECT_THAT(error_of_plan(small_forward(), kernel_id(h100(), knob)), StartsWith("3: cuDNN: "));
}

TEST(CudnnConvolution, RefusesEnginesWhoseBitsChangeFromRunToRun) {
  // cuDNN's gradients of the weights have some that add with atomics; which numbers they have depends on the version.
  int refused = 0;
  for (std::int64_t number = 0; number < 200; ++number) {
    const std::string id = kernel_id(h100(), {.pass = "wgrad", .number = number, .knobs = {}, .layout = "nchw"});
    const std::string text = error_of_plan(small_weight_gradient(), id);
    if (text == fmt::format("3: kernel '{}': this engine doesn't give the same bits every time", id)) ++refused;
  }
  EXPECT_GT(refused, 0);
}

TEST(CudnnMachine, RefusesADescriptionThatCudnnDoesNotTake) {
  const std::string text = error_of([] { CudnnMachine("{\"deviceVer\": 900}"); });
  EXPECT_THAT(text, StartsWith("3: cuDNN: "));
  EXPECT_THAT(text, HasSubstr("the device properties: CUDNN_STATUS_"));
}

TEST(CudnnKernels, SayThatThereIsNoGpuOrListItsEngines) {
  const LaunchTable none{};
  const std::string text = error_of([&none] { CudnnKernels kernels(none); });
  if (text.empty()) {
    EXPECT_FALSE(CudnnKernels(none).kernels(small_forward()).empty());
    return;
  }
  EXPECT_THAT(text, StartsWith("3: cuDNN: cudnnCreate for the current GPU: CUDNN_STATUS_"));
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace spillway
