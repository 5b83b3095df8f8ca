// The built-in networks on the CPU device against PyTorch in FP64.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/fill.h"
#include "device/spec.h"
#include "models/models.h"
#include "tests/models/reference.h"
#include "tests/support/sequential_run.h"

namespace spillway {

namespace {

constexpr std::uint64_t kSeed = 1;

// Single precision has 6e-8; sums over a volume and the depth of a network lose three digits of it.
constexpr double kTolerance = 1e-4;
// Where PyTorch's own FP32 is further off (a ReLU that falls on the other side of zero), so may we be.
constexpr double kTimesFloat32 = 2;
// Ten steps add up rounding, and Adam divides small gradients by their own size.
constexpr double kTrainingTolerance = 1e-3;
constexpr double kTrainingTimesFloat32 = 3;
// A bias before a norm has no gradient: of the largest, FP64 leaves less than this.
constexpr double kNoGradient = 1e-12;

std::vector<float> uniform(const Graph& graph, const char* name, std::int64_t batch, double low, double high) {
  const auto tensor = std::ranges::find(graph.tensors, name, &Tensor::name);
  std::vector<float> values(static_cast<std::size_t>(elements(*tensor, batch)));
  fill_uniform(values, name, kSeed, low, high);
  return values;
}

/// Images uniform in [-1, 1); labels from uniform numbers: a mask where below a half, or the class u * classes.
void set_data(SequentialRun& run, const Graph& graph, const Reference& reference) {
  run.set("image", uniform(graph, "image", reference.batch, -1, 1));
  std::vector<float> u = uniform(graph, "labels", reference.batch, 0, 1);
  if (std::ranges::find(graph.tensors, "labels", &Tensor::name)->type == ElementType::float32) {
    for (float& value : u) value = value < 0.5F ? 1.0F : 0.0F;
    run.set("labels", u);
    return;
  }
  constexpr double kClasses = 10;  // of every reference with class labels
  std::vector<std::int64_t> classes;
  for (const float value : u)
    classes.push_back(static_cast<std::int64_t>(std::floor(static_cast<double>(value) * kClasses)));
  run.set("labels", classes);
}

class AgainstPyTorch : public testing::TestWithParam<std::string> {
 protected:
  const Reference reference_ = read_reference(GetParam());
  const std::unique_ptr<Device> device_ = make_device(parse_device("cpu"));

  [[nodiscard]] Graph graph(const Optimizer& optimizer) const {
    return make_model(reference_.model, parse_settings(reference_.settings), optimizer);
  }

  void expect_training(const ReferenceTraining& training) {
    const Graph step = graph(make_optimizer(training.optimizer, training.learning_rate));
    SequentialRun run(*device_, step, reference_.batch);
    set_data(run, step, reference_);
    std::map<std::string, std::vector<float>> before;
    for (const ReferenceTensor& change : training.changes) before[change.name] = run.get(change.name);

    double float32_error = 0;
    for (std::size_t i = 0; i < training.losses.size(); ++i) {
      run.step();
      // What one step got wrong the next ones inherit, by chance more or less of it.
      float32_error = std::max(float32_error, training.loss_float32_errors[i]);
      const double tolerance =
          std::max(kTolerance * std::abs(training.losses[0]), kTrainingTimesFloat32 * float32_error);
      EXPECT_NEAR(run.get("loss")[0], training.losses[i], tolerance) << "step " << i + 1;
    }
    const double largest = largest_norm(training.changes), largest_gradient = largest_norm(reference_.gradients);
    for (const ReferenceTensor& change : training.changes) {
      std::vector<float> values = run.get(change.name);
      for (std::size_t i = 0; i < values.size(); ++i) values[i] -= before[change.name][i];
      const auto gradient = std::ranges::find(reference_.gradients, change.name, &ReferenceTensor::name);
      const bool has_gradient =
          gradient == reference_.gradients.end() || gradient->norm > kNoGradient * largest_gradient;
      if (!has_gradient && training.optimizer == "adam") {
        // Adam makes whole steps of rounding errors; only the length of its steps is known.
        const double longest = 2 * training.learning_rate * static_cast<double>(training.losses.size());
        for (const float value : values) EXPECT_LE(std::abs(value), longest) << change.name;
        continue;
      }
      EXPECT_LE(distance(values, change, largest),
                std::max(kTrainingTolerance, kTrainingTimesFloat32 * change.float32_error))
          << change.name;
    }
  }
};

TEST_P(AgainstPyTorch, LossAndEveryGradientAgree) {
  const Graph step = graph(make_optimizer("sgd", 0.01));
  SequentialRun run(*device_, step, reference_.batch);
  set_data(run, step, reference_);
  run.step();

  const double loss_error = std::abs(reference_.loss_float32 - reference_.loss);
  EXPECT_NEAR(run.get("loss")[0], reference_.loss,
              std::max(kTolerance * std::abs(reference_.loss), kTimesFloat32 * loss_error));
  const double largest = largest_norm(reference_.gradients);
  std::size_t compared = 0;
  for (const Op& op : step.ops) {
    if (op.phase != Phase::update || op.inputs.size() < 2) continue;
    const std::string& name = step.tensors[op.inputs[0]].name;
    const auto expected = std::ranges::find(reference_.gradients, name, &ReferenceTensor::name);
    ASSERT_NE(expected, reference_.gradients.end()) << name;
    const std::vector<float> gradient = run.get(op.inputs[1]);
    ++compared;
    if (expected->norm <= kNoGradient * largest) {
      // Rounding only. Its size is that of the summands, which the gradient of the same layer's weights has too.
      const std::string weights = name.substr(0, name.rfind('.')) + ".weights";
      const auto summands = std::ranges::find(reference_.gradients, weights, &ReferenceTensor::name);
      ASSERT_NE(summands, reference_.gradients.end()) << name;
      for (const float value : gradient) EXPECT_LE(std::abs(value), kTolerance * summands->norm) << name;
      continue;
    }
    EXPECT_LE(distance(gradient, *expected, largest), std::max(kTolerance, kTimesFloat32 * expected->float32_error))
        << name;
  }
  EXPECT_EQ(compared, reference_.gradients.size());
}

TEST_P(AgainstPyTorch, TenStepsOfAdamAgree) {
  expect_training(reference_.trainings.at(0));
}

TEST_P(AgainstPyTorch, TenStepsOfSgdAgree) {
  expect_training(reference_.trainings.at(1));
}

INSTANTIATE_TEST_SUITE_P(Networks, AgainstPyTorch, testing::Values("mlp", "unet3d", "resnet18", "resnet50"),
                         [](const auto& row) { return row.param; });

}  // namespace

}  // namespace spillway
