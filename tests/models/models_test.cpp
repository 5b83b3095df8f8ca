#include "models/models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/error.h"
#include "models/builder.h"
#include "tests/models/operands.h"

namespace spillway {

namespace {

using testing::IsEmpty;

struct ModelCase {
  std::string name;  // of the test
  std::string model;
  std::vector<std::string> settings;
  std::int64_t parameters;
};

void PrintTo(const ModelCase& c, std::ostream* out) {
  *out << c.name;
}

class BuiltIn : public testing::TestWithParam<ModelCase> {};

TEST_P(BuiltIn, HasAsManyParametersAsTheOriginal) {
  EXPECT_EQ(parameter_count(make_forward(GetParam().model, parse_settings(GetParam().settings))),
            GetParam().parameters);
}

TEST_P(BuiltIn, TrainsByAnyOptimizerWithConsistentOperands) {
  for (const char* optimizer : {"adam", "sgd"}) {
    SCOPED_TRACE(optimizer);
    const Graph graph = make_model(GetParam().model, parse_settings(GetParam().settings), optimizer);
    EXPECT_THAT(mistakes(graph), IsEmpty());
    EXPECT_THAT(operand_mistakes(graph), IsEmpty());
  }
}

TEST_P(BuiltIn, UpdatesEveryParameterOnceAfterItsLastReader) {
  const Graph graph = make_model(GetParam().model, parse_settings(GetParam().settings));
  std::set<BufferId> updated;
  Bytes updated_bytes, all;
  for (const Op& op : graph.ops) {
    if (op.phase == Phase::update && kind_of(op.attributes) != AdvanceStep::kKind) {
      updated.insert(graph.tensors[op.outputs.front()].buffer);
      updated_bytes += bytes(graph.tensors[op.outputs.front()], 1);
      continue;
    }
    for (const TensorId input : op.inputs) {
      EXPECT_FALSE(updated.contains(graph.tensors[input].buffer)) << op.name << " reads " << graph.tensors[input].name;
    }
  }
  for (const Buffer& buffer : graph.buffers) all += buffer.role == Role::parameter ? buffer.bytes_fixed : Bytes{0};
  EXPECT_EQ(updated_bytes, all);
}

TEST_P(BuiltIn, GivesEveryLastingBufferAFirstValueAndNoOther) {
  for (const Buffer& buffer : make_model(GetParam().model, parse_settings(GetParam().settings)).buffers) {
    EXPECT_EQ(buffer.initializer.has_value(), is_lasting(buffer.role)) << buffer.name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, BuiltIn,
    testing::Values(ModelCase{"Unet3d", "unet3d", {}, 8'269'676},
                    ModelCase{
                        "Unet3dOneChannelThreeClasses", "unet3d", {"channels=1", "classes=3", "side=48"}, 8'268'265},
                    ModelCase{"Resnet18", "resnet", {"depth=18"}, 11'689'512},
                    // 149*16, 36*256+8*16, 32*w*w+10*w for w = 32, 64 and 128, 128*10+10
                    ModelCase{"NarrowResnet18", "resnet", {"depth=18", "base=16", "classes=10"}, 703'386},
                    ModelCase{"Resnet34", "resnet", {"depth=34"}, 21'797'672},
                    ModelCase{"Resnet50", "resnet", {}, 25'557'032},
                    ModelCase{"Resnet101", "resnet", {"depth=101"}, 44'549'160},
                    ModelCase{"Resnet152", "resnet", {"depth=152"}, 60'192'808},
                    // 784*512+512, twice 512*512+512, 512*10+10
                    ModelCase{"Mlp", "mlp", {}, 401'920 + 2 * 262'656 + 5'130},
                    ModelCase{"MlpWithoutHiddenLayers", "mlp", {"depth=0"}, 7'850},
                    // 784*4096+4096, twice 4096*4096+4096, 4096*10+10: weights of 64 MiB
                    ModelCase{"WideMlp", "mlp", {"width=4096"}, 3'215'360 + 2 * 16'781'312 + 40'970}),
    [](const auto& row) { return row.param.name; });

double forward_flops(const Graph& graph, bool convolutions_only) {
  double total = 0;
  for (const Op& op : graph.ops) {
    if (op.phase == Phase::forward && (!convolutions_only || kind_of(op.attributes) == Convolution::kKind))
      total += flops(op, 1);
  }
  return total;
}

TEST(Unet3d, TakesAsManyFlopsAsItsConvolutionsHave) {
  // Multiply-adds per voxel of the image, each level with an eighth of the voxels above it. Down, (in + 2 * 16) * 16 *
  // 27 with 4 channels at first: 15,552 + 69,120 / 8 + 276,480 / 64 + 1,105,920 / 512 + 4,423,680 / 4,096 = 31,752. Up,
  // twice 27 * 32 * 16 and once 16 * 16: 27,904 + 111,616 / 8 + 446,464 / 64 + 1,785,856 / 512 = 52,320. Segmentations:
  // 64 + 128 / 8 + 256 / 64 = 84.
  const double flops_per_voxel = 2 * (31'752 + 52'320 + 84);
  const auto flops_of = [](const char* setting) {
    return forward_flops(make_forward("unet3d", parse_settings({setting})), true);
  };
  EXPECT_DOUBLE_EQ(flops_of("size=96x112x96"), flops_per_voxel * 96 * 112 * 96);  // 173.7 GFLOP
  EXPECT_DOUBLE_EQ(flops_of("side=144"), flops_per_voxel * 144 * 144 * 144);      // 503 GFLOP
}

TEST(Resnet, TakesAsManyFlopsAsItsConvolutionsAndItsHeadHave) {
  // 4.1 GMAC an image at depth 50; norms, ReLUs and sums add a few per cent.
  const Graph graph = make_forward("resnet", {});
  EXPECT_NEAR(forward_flops(graph, true) / 2e9, 4.1, 0.05);
  EXPECT_LT(forward_flops(graph, false), 1.03 * forward_flops(graph, true));
}

/// Forward results that the backward pass reads, each buffer once.
double kept_gib(const char* setting) {
  const Graph graph = make_model("unet3d", parse_settings({setting}));
  std::set<BufferId> made, kept;
  for (const Op& op : graph.ops) {
    if (op.phase == Phase::forward) {
      for (const TensorId output : op.outputs) made.insert(graph.tensors[output].buffer);
    }
    if (op.phase == Phase::backward) {
      for (const TensorId input : op.inputs) {
        if (made.contains(graph.tensors[input].buffer)) kept.insert(graph.tensors[input].buffer);
      }
    }
  }
  Bytes total;
  for (const BufferId buffer : kept) total += bytes(graph.buffers[buffer], 1);
  return static_cast<double>(total.value) / (1 << 30);
}

TEST(Unet3d, KeepsAsManyActivationBytesForTheBackwardPassAsWorkedOut) {
  // Floats per voxel of the image, a level having an eighth of the voxels above it and twice the filters, so a quarter
  // of the floats. Way down (5 levels, 1 + 1/4 + ... = 1.332): 3 convolutions, 3 norms, dropout and sum of 16 filters
  // each: 128 * 1.332 = 170.5. Way up (4 levels, 1.328): 3 convolutions and 3 norms of 16, upsampling and concatenation
  // of 32 each: 160 * 1.328 = 212.5. The probabilities: 4. Together 387.0, and in GiB per 1e6 voxels 387.0 * 4 * 1e6 /
  // 2^30 = 1.4417.
  const auto expected = [](double d, double h, double w) { return 1.4417e-6 * d * h * w; };
  EXPECT_NEAR(kept_gib("size=96x112x96"), expected(96, 112, 96), 0.001);  // 1.49
  EXPECT_NEAR(kept_gib("side=144"), expected(144, 144, 144), 0.001);      // 4.30
  EXPECT_NEAR(kept_gib("side=320"), expected(320, 320, 320), 0.01);       // 47.2
}

TEST(Models, NearMissesAreSuggested) {
  const auto message = [](const std::string& model, const std::vector<std::string>& settings,
                          std::optional<std::string> optimizer) {
    try {
      static_cast<void>(make_model(model, parse_settings(settings), optimizer));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::input);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message("unet3", {}, {}), "model 'unet3': unknown; did you mean 'unet3d'?");
  EXPECT_EQ(message("unet3d", {"sid=32"}, {}), "model 'unet3d': sid: no such setting; did you mean 'side'?");
  EXPECT_EQ(message("mlp", {}, "adma"), "optimizer 'adma': unknown, expected adam or sgd; did you mean 'adam'?");
  EXPECT_EQ(message("unet3d", {"side=100"}, {}),
            "model 'unet3d': side: found 100, expected a multiple of 16 at depth 5; the nearest are 96 and 112");
  EXPECT_EQ(message("unet3d", {"size=96x8x96"}, {}),
            "model 'unet3d': size: found 8, expected a multiple of 16 at depth 5; the nearest is 16");
  EXPECT_EQ(message("unet3d", {"size=96x112x96", "side=96"}, {}),
            "model 'unet3d': size: 'side' is set too; set one of them");
  EXPECT_EQ(message("resnet", {"depth=51"}, {}), "model 'resnet': depth: found 51, expected 18, 34, 50, 101 or 152");
}

TEST(Models, ListsSettingsWhoseDefaultsAreAccepted) {
  for (const Model& model : models()) {
    std::vector<std::string> pairs;
    for (const SettingDescription& setting : model.settings) {
      EXPECT_FALSE(setting.help.empty()) << model.name << " " << setting.name;
      if (!setting.default_value.empty()) pairs.push_back(setting.name + "=" + setting.default_value);
    }
    EXPECT_EQ(make_model(model.name, parse_settings(pairs)), make_model(model.name, {})) << model.name;
  }
}

TEST(Models, StartTrainingAtTheRateOfTheirOptimizer) {
  const auto rate = [](const char* model, std::optional<std::string> optimizer) {
    for (const Buffer& buffer : make_model(model, {}, optimizer).buffers) {
      if (buffer.name == "learning_rate") return buffer.initializer->value;
    }
    return 0.0;
  };
  EXPECT_EQ(rate("unet3d", {}), 5e-4);
  EXPECT_EQ(rate("resnet", {}), 0.1);
  EXPECT_EQ(rate("resnet", "adam"), 1e-3);
}

}  // namespace

}  // namespace spillway
