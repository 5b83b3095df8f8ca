#include "executor/data/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/fill.h"
#include "executor/data/npy.h"
#include "executor/data/shuffle.h"
#include "tests/executor/data/small_graph.h"
#include "tests/executor/data/support.h"

namespace spillway {
namespace {

using testing::Each;
using testing::ElementsAre;

template <class T>
std::vector<T> batch_of(BatchSource& source, TensorId input, std::int64_t index, std::size_t elements) {
  std::vector<T> values(elements);
  source.fill(input, index, std::as_writable_bytes(std::span(values)));
  return values;
}

/// Seven samples in files; sample s is image {10 s, 10 s + 1, ...} and label s.
struct Files {
  Files() {
    image = graph.input("image", ElementType::float32, {2, 3});
    labels = graph.input("labels", ElementType::int64, {});
    std::vector<float> images;
    std::vector<std::int64_t> numbers_of_samples;
    for (int s = 0; s < 7; ++s) {
      for (int i = 0; i < 6; ++i) images.push_back(static_cast<float>(10 * s + i));
      numbers_of_samples.push_back(s);
    }
    write_npy(directory / "image.npy", ElementType::float32, {7, 2, 3}, bytes_of(images));
    write_npy(directory / "labels.npy", ElementType::int64, {7}, bytes_of(numbers_of_samples));
  }
  [[nodiscard]] std::unique_ptr<BatchSource> open(std::int64_t batch = 3, std::uint64_t seed = 1) const {
    return batches_from_files(graph.graph, batch, directory.path(), seed);
  }
  [[nodiscard]] std::string complaint_of(const std::string& file, std::int64_t batch = 3) const {
    return complaint(directory / file, ExitCode::input, [&] { static_cast<void>(open(batch)); });
  }

  TemporaryDirectory directory;
  SmallGraph graph;
  TensorId image, labels;
};

TEST(FileBatches, CoverEachSampleAtMostOnceAnEpochAndDropTheRest) {
  const Files files;
  const auto source = files.open();
  ASSERT_EQ(source->batches_per_epoch(), 2);
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    std::vector<std::int64_t> seen;
    for (const std::int64_t b : {2 * epoch, 2 * epoch + 1})
      std::ranges::copy(batch_of<std::int64_t>(*source, files.labels, b, 3), std::back_inserter(seen));
    const auto order = shuffled_order(7, 1, static_cast<std::uint64_t>(epoch));
    EXPECT_TRUE(std::equal(seen.begin(), seen.end(), order.begin())) << epoch;
    std::ranges::sort(seen);
    EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end()) << epoch;
  }
}

TEST(FileBatches, CoverAllSamplesWhenTheBatchDividesThem) {
  const Files files;
  const auto source = files.open(1);
  std::vector<std::int64_t> seen;
  for (std::int64_t b = 7; b < 14; ++b) seen.push_back(batch_of<std::int64_t>(*source, files.labels, b, 1).front());
  EXPECT_THAT(seen, testing::UnorderedElementsAre(0, 1, 2, 3, 4, 5, 6));
}

TEST(FileBatches, KeepImageAndLabelTogetherAndPutChannelsLast) {
  const Files files;
  const auto source = files.open();
  for (std::int64_t b = 0; b < 6; ++b) {
    const auto images = batch_of<float>(*source, files.image, b, 18);
    const auto labels = batch_of<std::int64_t>(*source, files.labels, b, 3);
    for (std::size_t i = 0; i < 3; ++i) {
      const auto s = static_cast<float>(10 * labels[i]);
      // [2 channels, 3 positions] -> [3, 2]
      EXPECT_THAT(std::vector(images.begin() + static_cast<std::ptrdiff_t>(6 * i),
                              images.begin() + static_cast<std::ptrdiff_t>(6 * i + 6)),
                  ElementsAre(s, s + 3, s + 1, s + 4, s + 2, s + 5));
    }
  }
}

TEST(FileBatches, KeepChannelsFirstWhereTheGraphDoes) {
  Files files;
  files.graph.graph.layout = Layout::channels_first;
  const auto source = files.open(1);
  const auto image = batch_of<float>(*source, files.image, 0, 6);
  std::vector<float> expected(6);
  std::iota(expected.begin(), expected.end(), image.front());
  EXPECT_EQ(image, expected);
}

TEST(FileBatches, GoOnWithTheSameBitsAfterAResume) {
  const Files files;
  const auto whole = files.open();
  std::vector<std::vector<float>> expected;
  for (std::int64_t b = 0; b < 9; ++b) expected.push_back(batch_of<float>(*whole, files.image, b, 18));
  for (std::int64_t start = 0; start < 9; ++start) {
    const auto resumed = files.open();
    for (std::int64_t b = start; b < 9; ++b)
      EXPECT_EQ(batch_of<float>(*resumed, files.image, b, 18), expected[static_cast<std::size_t>(b)]);
  }
}

TEST(FileBatches, WidenNarrowerNumbers) {
  const TemporaryDirectory directory;
  SmallGraph graph;
  const TensorId image = graph.input("image", ElementType::float32, {3});
  const TensorId labels = graph.input("labels", ElementType::int64, {2});
  const std::vector<std::uint8_t> pixels{0, 1, 255};
  const std::vector<std::int32_t> numbers_in_file{-7, 2'000'000'000};
  write_npy(directory / "image.npy", ElementType::uint8, {1, 3}, bytes_of(pixels));
  write_npy(directory / "labels.npy", ElementType::int32, {1, 2}, bytes_of(numbers_in_file));
  const auto source = batches_from_files(graph.graph, 1, directory.path(), 1);
  EXPECT_THAT(batch_of<float>(*source, image, 0, 3), ElementsAre(0, 1, 255));
  EXPECT_THAT(batch_of<std::int64_t>(*source, labels, 0, 2), ElementsAre(-7, 2'000'000'000));
}

TEST(FileBatches, RefuseAMissingFile) {
  const Files files;
  std::filesystem::remove(files.directory / "labels.npy");
  EXPECT_EQ(files.complaint_of("labels.npy"),
            ": found no such file, expected one for each input: image.npy, labels.npy");
}

TEST(FileBatches, RefuseAnotherType) {
  const Files files;
  const std::vector<float> floats(7);
  write_npy(files.directory / "labels.npy", ElementType::float32, {7}, bytes_of(floats));
  EXPECT_EQ(files.complaint_of("labels.npy"),
            ": found dtype '<f4', expected '<i8', '<i4' or '|u1'; save array.astype('<i8')");
}

TEST(FileBatches, RefuseAnotherShape) {
  const Files files;
  const std::vector<float> floats(42);
  write_npy(files.directory / "image.npy", ElementType::float32, {7, 3, 2}, bytes_of(floats));
  EXPECT_EQ(files.complaint_of("image.npy"), ": found shape (7, 3, 2), expected (samples, 2, 3)");
}

TEST(FileBatches, RefuseALabelWithoutSamples) {
  const Files files;
  const std::vector<std::int64_t> one(1);
  write_npy(files.directory / "labels.npy", ElementType::int64, {}, bytes_of(one));
  EXPECT_EQ(files.complaint_of("labels.npy"), ": found shape (), expected (samples,)");
}

TEST(FileBatches, RefuseFilesOfDifferentLengths) {
  const Files files;
  const std::vector<std::int64_t> six(6);
  write_npy(files.directory / "labels.npy", ElementType::int64, {6}, bytes_of(six));
  EXPECT_EQ(files.complaint_of("labels.npy"), ": found 6 samples, expected 7 as in " + (files.directory / "image.npy"));
}

TEST(FileBatches, RefuseFewerSamplesThanABatch) {
  const Files files;
  EXPECT_EQ(files.complaint_of("image.npy", 8), ": found 7 samples, expected at least 8, a batch");
}

TEST(FileBatches, RefuseALabelBeyondTheClasses) {
  Files files;
  files.graph.read_as_classes(files.labels, 5);
  EXPECT_EQ(files.complaint_of("labels.npy"), ": element 5: found label 5, expected 0 to 4");
}

struct Synthetic {
  Synthetic() {
    image = graph.input("image", ElementType::float32, {2, 3});
    labels = graph.input("labels", ElementType::int64, {});
    mask = graph.input("mask", ElementType::float32, {1, 50});
    const TensorId probabilities = graph.input("probabilities", ElementType::float32, {1, 50});
    graph.read_as_classes(labels, 10);
    graph.op(DiceLoss{}, {probabilities, mask}, {});
  }
  SmallGraph graph;
  TensorId image, labels, mask;
};

TEST(SyntheticBatches, AreTheStatedFunctionOfNameSeedAndSample) {
  const Synthetic step;
  const auto source = synthetic_batches(step.graph.graph, 2, 9);
  // Batch 4 holds samples 8 and 9; sample 8 starts at element 48.
  std::vector<float> logical(12);
  fill_uniform(logical, "image", 9, 0, 1, 48);
  const auto batch = batch_of<float>(*source, step.image, 4, 12);
  EXPECT_THAT(batch, ElementsAre(logical[0], logical[3], logical[1], logical[4], logical[2], logical[5],  //
                                 logical[6], logical[9], logical[7], logical[10], logical[8], logical[11]));
}

TEST(SyntheticBatches, GiveASampleTheSameValuesAtAnyBatchSize) {
  const Synthetic step;
  const auto ones = synthetic_batches(step.graph.graph, 1, 9), threes = synthetic_batches(step.graph.graph, 3, 9);
  // Sample 5 is the last one of batch 1 of three.
  const auto batch = batch_of<float>(*threes, step.image, 1, 18);
  EXPECT_EQ(batch_of<float>(*ones, step.image, 5, 6), std::vector<float>(batch.begin() + 12, batch.end()));
}

TEST(SyntheticBatches, MakeEveryClassAndNoOther) {
  const Synthetic step;
  const auto source = synthetic_batches(step.graph.graph, 1000, 9);
  std::vector<int> counts(10);
  for (const std::int64_t label : batch_of<std::int64_t>(*source, step.labels, 0, 1000)) {
    ASSERT_GE(label, 0);
    ASSERT_LT(label, 10);
    ++counts[static_cast<std::size_t>(label)];
  }
  EXPECT_THAT(counts, Each(testing::Gt(50)));  // 100 each, standard deviation 9.5
}

TEST(SyntheticBatches, MakeDiceLabelsOfZeroAndOne) {
  const Synthetic step;
  const auto source = synthetic_batches(step.graph.graph, 20, 9);
  const auto labels = batch_of<float>(*source, step.mask, 0, 1000);
  EXPECT_THAT(labels, Each(testing::AnyOf(0.0F, 1.0F)));
  EXPECT_NEAR(std::accumulate(labels.begin(), labels.end(), 0.0F), 500, 80);  // standard deviation 16
}

TEST(SyntheticBatches, DifferFromStepToStepAndRepeatWithTheSeed) {
  const Synthetic step;
  const auto first = synthetic_batches(step.graph.graph, 2, 9), again = synthetic_batches(step.graph.graph, 2, 9);
  EXPECT_NE(batch_of<float>(*first, step.image, 0, 12), batch_of<float>(*first, step.image, 1, 12));
  EXPECT_EQ(batch_of<float>(*first, step.image, 7, 12), batch_of<float>(*again, step.image, 7, 12));
  EXPECT_NE(batch_of<float>(*first, step.image, 0, 12),
            batch_of<float>(*synthetic_batches(step.graph.graph, 2, 8), step.image, 0, 12));
  EXPECT_EQ(first->batches_per_epoch(), std::nullopt);
}

TEST(SyntheticBatches, RefuseWholeNumbersThatNobodyExplains) {
  SmallGraph graph;
  graph.input("tokens", ElementType::int64, {128});
  EXPECT_EQ(
      complaint("input 'tokens'", ExitCode::input, [&] { static_cast<void>(synthetic_batches(graph.graph, 1, 1)); }),
      ": found whole numbers that aren't class labels, expected float32; give --data");
}

TEST(Inputs, MustHaveABatch) {
  SmallGraph graph;
  const TensorId id = graph.input("table", ElementType::float32, {4});
  graph.graph.tensors[id].batched = false;
  EXPECT_EQ(complaint("input 'table'", ExitCode::input, [&] { static_cast<void>(describe_inputs(graph.graph)); }),
            ": found no batch dimension, expected one");
}

TEST(Inputs, ABufferWithTwoViewsIsOneInput) {
  SmallGraph graph;
  const TensorId id = graph.input("image", ElementType::float32, {2, 3});
  Tensor flat = graph.graph.tensors[id];
  flat.name = "flat";
  flat.extents = {6};
  graph.graph.tensors.push_back(flat);
  const auto inputs = describe_inputs(graph.graph);
  ASSERT_EQ(inputs.size(), 1U);
  EXPECT_EQ(inputs.front().name, "image");
}

}  // namespace
}  // namespace spillway
