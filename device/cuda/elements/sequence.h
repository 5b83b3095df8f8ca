#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "core/op_description.h"
#include "device/cuda/kernel_source.h"
#include "device/cuda/launch_table.h"

namespace spillway {

/// The addresses of one run, with types put on them, and what launches it.
struct ElementRun {
  const LaunchTable& launches;
  cudaStream_t stream;
  const OpPointers& operands;

  template <class T = float>
  [[nodiscard]] const T* input(std::size_t index) const {
    return static_cast<const T*>(operands.inputs[index]);
  }
  template <class T = float>
  [[nodiscard]] T* output(std::size_t index) const {
    return static_cast<T*>(operands.outputs[index]);
  }
};

/// A piece of a sequence's workspace: `count` elements.
template <class T>
struct ElementScratch {
  Bytes offset;
  [[nodiscard]] T* of(const ElementRun& run) const {
    return reinterpret_cast<T*>(static_cast<std::byte*>(run.operands.workspace) + offset.value);
  }
};

/// The launches of one op, in order, and the workspace they share.
class ElementSequence {
 public:
  using Step = std::function<void(const ElementRun&)>;

  /// Reserves bytes that live from the first step to the last.
  template <class T>
  [[nodiscard]] ElementScratch<T> scratch(std::int64_t count) {
    const ElementScratch<T> place{workspace_};
    workspace_ += align_up(Bytes{static_cast<std::int64_t>(sizeof(T))} * count, kAlignment);
    return place;
  }
  void add(Step step) { steps_.push_back(std::move(step)); }

  [[nodiscard]] Bytes workspace() const { return workspace_; }
  void launch(const ElementRun& run) const {
    for (const Step& step : steps_) step(run);
  }

 private:
  static constexpr Bytes kAlignment{64};

  std::vector<Step> steps_;
  Bytes workspace_;
};

// What sequences are built from.

/// Requires: two to five extents.
[[nodiscard]] TensorGrid tensor_grid(const Extents& extents, Layout layout);
[[nodiscard]] WindowShape window_shape(const Window& window);
/// The division into parts that gives enough blocks to fill a large GPU, or one part where rows are many or short.
[[nodiscard]] RowParts row_parts(std::int64_t rows, std::int64_t terms);

/// result(run)[group] = scale * the sum of x(run) over the group.
void add_channel_sums(ElementSequence& sequence, const ChannelGroups& groups, double scale,
                      std::function<const float*(const ElementRun&)> x,
                      std::function<float*(const ElementRun&)> result);

/// dbias, the second output, from dy, the second input.
void add_bias_gradient(ElementSequence& sequence, const TensorGrid& dy);

}  // namespace spillway
