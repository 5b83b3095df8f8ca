#include "device/cuda/elements/sequence.h"

#include <algorithm>

namespace spillway {

TensorGrid tensor_grid(const Extents& extents, Layout layout) {
  TensorGrid grid{extents[0], extents[1], {1, 1, 1}, 1, layout == Layout::channels_last};
  for (std::size_t i = 2; i < extents.size(); ++i) {
    grid.space[3 - extents.size() + i] = extents[i];
    grid.positions *= extents[i];
  }
  return grid;
}

WindowShape window_shape(const Window& window) {
  WindowShape shape{{1, 1, 1}, {1, 1, 1}, {0, 0, 0}};
  const std::size_t missing = 3 - window.kernel.size();
  for (std::size_t i = 0; i < window.kernel.size(); ++i) {
    shape.kernel[missing + i] = window.kernel[i];
    shape.stride[missing + i] = window.stride[i];
    shape.padding[missing + i] = window.padding[i];
  }
  return shape;
}

RowParts row_parts(std::int64_t rows, std::int64_t terms) {
  // A hundred to two hundred multiprocessors with eight blocks of kRowLanes threads each; a block with fewer than 16
  // terms a thread spends its time on merging.
  constexpr std::int64_t kBlocks = 2048, kFewestTerms = 16 * kRowLanes;
  const std::int64_t most = std::max<std::int64_t>(kBlocks / std::max<std::int64_t>(rows, 1), 1);
  const std::int64_t wanted = std::clamp<std::int64_t>((terms + kFewestTerms - 1) / kFewestTerms, 1, most);
  const std::int64_t length = std::max<std::int64_t>((terms + wanted - 1) / wanted, 1);
  return {std::max<std::int64_t>((terms + length - 1) / length, 1), length, terms};
}

void add_channel_sums(ElementSequence& sequence, const ChannelGroups& groups, double scale,
                      std::function<const float*(const ElementRun&)> x,
                      std::function<float*(const ElementRun&)> result) {
  const RowParts parts = row_parts(groups.count(), groups.terms());
  if (parts.count == 1) {
    sequence.add([=](const ElementRun& run) {
      run.launches.launch_ChannelSumRow(run.stream, groups.count(), {{x(run), groups}, scale, result(run)});
    });
    return;
  }
  const auto partial = sequence.scratch<Totals<1>>(groups.count() * parts.count);
  sequence.add([=](const ElementRun& run) {
    run.launches.launch_ChannelSumPartRow(run.stream, groups.count() * parts.count,
                                          {{x(run), groups}, parts, partial.of(run)});
    run.launches.launch_MergedSumRow(run.stream, groups.count(), {{partial.of(run), parts.count}, scale, result(run)});
  });
}

void add_bias_gradient(ElementSequence& sequence, const TensorGrid& dy) {
  add_channel_sums(
      sequence, {dy, false}, 1.0, [](const ElementRun& run) { return run.input(1); },
      [](const ElementRun& run) { return run.output(1); });
}

}  // namespace spillway
