#include <gtest/gtest.h>

#include <span>
#include <vector>

#include "executor/data/batches.h"
#include "tests/executor/data/small_graph.h"

namespace spillway {
namespace {

TEST(Icbm152, FeedsANetworkOfOneChannelAndThreeClasses) {
  constexpr std::size_t kVoxels = 96 * 112 * 96;
  SmallGraph graph;
  const TensorId image = graph.input("image", ElementType::float32, {1, 96, 112, 96});
  const TensorId labels = graph.input("labels", ElementType::float32, {3, 96, 112, 96});
  const auto source = batches_from_files(graph.graph, 1, SPILLWAY_SOURCE_DIR "/datasets/icbm152_2mm", 1);
  EXPECT_EQ(source->batches_per_epoch(), 1);
  std::vector<float> intensities(kVoxels), classes(3 * kVoxels);
  source->fill(image, 0, std::as_writable_bytes(std::span(intensities)));
  source->fill(labels, 0, std::as_writable_bytes(std::span(classes)));

  // Grey, white and other lie side by side; at most one of them is 1. The counts are those of the data's README.
  std::vector<std::size_t> counts(3);
  double sum = 0, squares = 0;
  for (std::size_t v = 0; v < kVoxels; ++v) {
    std::size_t ones = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const float label = classes[3 * v + k];
      ASSERT_TRUE(label == 0.0F || label == 1.0F) << label;
      if (label == 1.0F) ++ones, ++counts[k];
    }
    ASSERT_LE(ones, 1U);
    const double value = intensities[v];
    if (ones == 0) {
      ASSERT_EQ(value, 0) << "outside the brain";
    }
    sum += value, squares += value * value;
  }
  EXPECT_EQ(counts, (std::vector<std::size_t>{135440, 78135, 23907}));
  const double inside = 135440 + 78135 + 23907;
  EXPECT_NEAR(sum / inside, 0, 1e-5);
  EXPECT_NEAR(squares / inside, 1, 1e-5);
}

}  // namespace
}  // namespace spillway
