#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/error.h"
#include "core/fill.h"
#include "executor/data/batches.h"

namespace spillway {
namespace {

class SyntheticBatches : public BatchSource {
 public:
  SyntheticBatches(std::vector<InputDescription> inputs, std::int64_t batch, std::uint64_t seed)
      : inputs_(std::move(inputs)), batch_(batch), seed_(seed) {}

  const std::vector<InputDescription>& inputs() const override { return inputs_; }
  std::optional<std::int64_t> batches_per_epoch() const override { return std::nullopt; }

  void fill(TensorId id, std::int64_t index, std::span<std::byte> destination) override {
    const auto input = std::ranges::find(inputs_, id, &InputDescription::tensor);
    SPILLWAY_CHECK(input != inputs_.end(), "no input has this id");
    const auto elements = static_cast<std::size_t>(input->elements());
    const std::size_t size = elements * static_cast<std::size_t>(size_of(input->type).value);
    SPILLWAY_CHECK(destination.size() == size * static_cast<std::size_t>(batch_), input->name);
    values_.resize(elements);
    for (std::int64_t i = 0; i < batch_; ++i) {
      const auto sample = static_cast<std::uint64_t>(index * batch_ + i);
      fill_uniform(values_, input->name, seed_, 0, 1, sample * elements);
      place_sample(*input, made_of(*input), destination.subspan(static_cast<std::size_t>(i) * size, size));
    }
  }

 private:
  /// `values_` as the input's values; it may be the storage of the result.
  std::span<const std::byte> made_of(const InputDescription& input) {
    if (input.classes > 0) {
      labels_.resize(values_.size());
      // A u just below 1 rounds to the float 1.
      std::ranges::transform(values_, labels_.begin(), [&](float u) {
        const auto label =
            static_cast<std::int64_t>(std::floor(static_cast<double>(u) * static_cast<double>(input.classes)));
        return std::min(label, input.classes - 1);
      });
      return std::as_bytes(std::span(labels_));
    }
    if (input.binary) {
      std::ranges::transform(values_, values_.begin(), [](float u) { return u < 0.5F ? 1.0F : 0.0F; });
    }
    return std::as_bytes(std::span(values_));
  }

  std::vector<InputDescription> inputs_;
  std::int64_t batch_;
  std::uint64_t seed_;
  std::vector<float> values_;
  std::vector<std::int64_t> labels_;
};

}  // namespace

std::unique_ptr<BatchSource> synthetic_batches(const Graph& graph, std::int64_t batch, std::uint64_t seed) {
  SPILLWAY_CHECK(batch > 0, std::to_string(batch));
  std::vector<InputDescription> inputs = describe_inputs(graph);
  for (const InputDescription& input : inputs) {
    const bool labels = input.type == ElementType::int64 && input.classes > 0;
    if (!labels && input.type != ElementType::float32) {
      throw input_error("input '" + input.name +
                        "': found whole numbers that aren't class labels, expected float32; give --data");
    }
  }
  return std::make_unique<SyntheticBatches>(std::move(inputs), batch, seed);
}

}  // namespace spillway
