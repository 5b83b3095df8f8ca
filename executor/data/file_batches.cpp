#include <algorithm>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "executor/data/batches.h"
#include "executor/data/npy.h"
#include "executor/data/shuffle.h"

namespace spillway {
namespace {

/// The types that a file may have for an input of this type, its own first.
std::vector<ElementType> accepted_types(ElementType type) {
  switch (type) {
    case ElementType::float32: return {ElementType::float32, ElementType::uint8};
    case ElementType::int32: return {ElementType::int32, ElementType::uint8};
    case ElementType::int64: return {ElementType::int64, ElementType::int32, ElementType::uint8};
    case ElementType::uint8: return {ElementType::uint8};
  }
  return {};
}

template <class From, class To>
void widen(std::span<const std::byte> from, std::span<std::byte> to) {
  for (std::size_t i = 0; i < from.size() / sizeof(From); ++i) {
    From value;
    std::memcpy(&value, from.data() + i * sizeof(From), sizeof(From));
    const To wide = static_cast<To>(value);
    std::memcpy(to.data() + i * sizeof(To), &wide, sizeof(To));
  }
}

/// Requires: `from` is one of accepted_types(to_type) and not `to_type`.
void widen(ElementType from_type, std::span<const std::byte> from, ElementType to_type, std::span<std::byte> to) {
  switch (to_type) {
    case ElementType::float32: return widen<std::uint8_t, float>(from, to);
    case ElementType::int32: return widen<std::uint8_t, std::int32_t>(from, to);
    case ElementType::int64:
      return from_type == ElementType::int32 ? widen<std::int32_t, std::int64_t>(from, to)
                                             : widen<std::uint8_t, std::int64_t>(from, to);
    case ElementType::uint8: break;
  }
  SPILLWAY_CHECK(false, "no type is narrower than uint8");
}

NpyArray open_input(const InputDescription& input, const std::filesystem::path& directory,
                    const std::vector<InputDescription>& all) {
  const std::string path = (directory / (input.name + ".npy")).string();
  if (!std::filesystem::exists(path)) {
    std::string names;
    for (const InputDescription& each : all) names += (names.empty() ? "" : ", ") + each.name + ".npy";
    throw input_error(path + ": found no such file, expected one for each input: " + names);
  }
  NpyArray array(path, accepted_types(input.type));
  const Extents& found = array.extents();
  if (found.empty() ||
      !std::ranges::equal(found.begin() + 1, found.end(), input.extents.begin(), input.extents.end())) {
    std::string expected = "(samples,";
    for (const std::int64_t extent : input.extents) expected += " " + std::to_string(extent) + ",";
    if (!input.extents.empty()) expected.pop_back();
    throw input_error(path + ": found shape " + shape_text(found) + ", expected " + expected + ")");
  }
  return array;
}

/// A kernel would read a probability beyond the last one.
void check_labels(const InputDescription& input, const NpyArray& array) {
  if (input.classes == 0) return;
  const auto size = static_cast<std::size_t>(size_of(array.type()).value);
  for (std::size_t i = 0; i * size < array.bytes().size(); ++i) {
    const std::span<const std::byte> element = array.bytes().subspan(i * size, size);
    std::int64_t label = 0;
    if (array.type() == ElementType::int64) {
      std::memcpy(&label, element.data(), size);
    } else {
      widen(array.type(), element, ElementType::int64, std::as_writable_bytes(std::span(&label, 1)));
    }
    if (label < 0 || label >= input.classes) {
      throw input_error(array.path() + ": element " + std::to_string(i) + ": found label " + std::to_string(label) +
                        ", expected 0 to " + std::to_string(input.classes - 1));
    }
  }
}

class FileBatches : public BatchSource {
 public:
  FileBatches(std::vector<InputDescription> inputs, std::int64_t batch, const std::string& directory,
              std::uint64_t seed)
      : inputs_(std::move(inputs)), batch_(batch), seed_(seed) {
    for (const InputDescription& input : inputs_) {
      arrays_.push_back(open_input(input, directory, inputs_));
      check_labels(input, arrays_.back());
      const std::int64_t samples = arrays_.back().extents().front();
      const std::int64_t others = arrays_.front().extents().front();
      if (samples != others) {
        throw input_error(arrays_.back().path() + ": found " + std::to_string(samples) + " samples, expected " +
                          std::to_string(others) + " as in " + arrays_.front().path());
      }
    }
    samples_ = arrays_.empty() ? 0 : arrays_.front().extents().front();
    if (!arrays_.empty() && samples_ < batch_) {
      throw input_error(arrays_.front().path() + ": found " + std::to_string(samples_) +
                        " samples, expected at least " + std::to_string(batch_) + ", a batch");
    }
  }

  const std::vector<InputDescription>& inputs() const override { return inputs_; }
  std::optional<std::int64_t> batches_per_epoch() const override { return samples_ / batch_; }

  void fill(TensorId id, std::int64_t index, std::span<std::byte> destination) override {
    const auto input = std::ranges::find(inputs_, id, &InputDescription::tensor);
    SPILLWAY_CHECK(input != inputs_.end(), "no input has this id");
    SPILLWAY_CHECK(index >= 0, std::to_string(index));
    const NpyArray& array = arrays_[static_cast<std::size_t>(input - inputs_.begin())];
    const auto size = static_cast<std::size_t>((size_of(input->type) * input->elements()).value);
    SPILLWAY_CHECK(destination.size() == size * static_cast<std::size_t>(batch_), input->name);
    const std::int64_t per_epoch = samples_ / batch_;
    const std::vector<std::uint32_t>& order = order_of(index / per_epoch);
    const auto first = static_cast<std::size_t>(index % per_epoch * batch_);
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch_); ++i) {
      place_sample(*input, sample(*input, array, order[first + i]), destination.subspan(i * size, size));
    }
  }

 private:
  const std::vector<std::uint32_t>& order_of(std::int64_t epoch) {
    if (epoch != epoch_) order_ = shuffled_order(samples_, seed_, static_cast<std::uint64_t>(epoch));
    epoch_ = epoch;
    return order_;
  }

  /// A sample in the input's type, in logical order; valid until the next call.
  std::span<const std::byte> sample(const InputDescription& input, const NpyArray& array, std::size_t number) {
    const std::size_t size = array.bytes().size() / static_cast<std::size_t>(samples_);
    const std::span<const std::byte> stored = array.bytes().subspan(number * size, size);
    if (array.type() == input.type) return stored;
    widened_.resize(static_cast<std::size_t>((size_of(input.type) * input.elements()).value));
    widen(array.type(), stored, input.type, widened_);
    return widened_;
  }

  std::vector<InputDescription> inputs_;
  std::vector<NpyArray> arrays_;  ///< by input
  std::int64_t batch_;
  std::uint64_t seed_;
  std::int64_t samples_ = 0;
  std::int64_t epoch_ = -1;  ///< that `order_` is of
  std::vector<std::uint32_t> order_;
  std::vector<std::byte> widened_;
};

}  // namespace

std::unique_ptr<BatchSource> batches_from_files(const Graph& graph, std::int64_t batch, const std::string& directory,
                                                std::uint64_t seed) {
  SPILLWAY_CHECK(batch > 0, std::to_string(batch));
  return std::make_unique<FileBatches>(describe_inputs(graph), batch, directory, seed);
}

}  // namespace spillway
