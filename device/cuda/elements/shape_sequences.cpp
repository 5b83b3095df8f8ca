#include "device/cuda/elements/sequences.h"

namespace spillway {

namespace {

ResizingGrids resizing_grids(const Extents& coarse, const Extents& fine, Layout layout, std::int64_t factor) {
  ResizingGrids grids{tensor_grid(coarse, layout), tensor_grid(fine, layout), {1, 1, 1}};
  for (std::size_t i = 2; i < coarse.size(); ++i) grids.factor[3 - coarse.size() + i] = factor;
  return grids;
}

}  // namespace

ElementSequence element_sequence(const Concat&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([a = tensor_grid(op.inputs[0].extents, op.layout), b = tensor_grid(op.inputs[1].extents, op.layout),
                both = tensor_grid(op.outputs[0].extents, op.layout)](const ElementRun& run) {
    run.launches.launch_ConcatElement(run.stream, both.count(),
                                      {run.input(0), run.input(1), run.output(0), a, b, both});
  });
  return sequence;
}

ElementSequence element_sequence(const ConcatBackward&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([a = tensor_grid(op.outputs[0].extents, op.layout), b = tensor_grid(op.outputs[1].extents, op.layout),
                both = tensor_grid(op.inputs[0].extents, op.layout)](const ElementRun& run) {
    run.launches.launch_ConcatBackwardElement(run.stream, both.count(),
                                              {run.input(0), run.output(0), run.output(1), a, b, both});
  });
  return sequence;
}

ElementSequence element_sequence(const Upsample& upsample, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([grids = resizing_grids(op.inputs[0].extents, op.outputs[0].extents, op.layout, upsample.factor)](
                   const ElementRun& run) {
    run.launches.launch_UpsampleElement(run.stream, grids.fine.count(), {run.input(0), run.output(0), grids});
  });
  return sequence;
}

ElementSequence element_sequence(const UpsampleBackward& upsample, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([grids = resizing_grids(op.outputs[0].extents, op.inputs[0].extents, op.layout, upsample.factor)](
                   const ElementRun& run) {
    run.launches.launch_UpsampleBackwardElement(run.stream, grids.coarse.count(), {run.input(0), run.output(0), grids});
  });
  return sequence;
}

ElementSequence element_sequence(const MaxPool& pool, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([x = tensor_grid(op.inputs[0].extents, op.layout), y = tensor_grid(op.outputs[0].extents, op.layout),
                window = window_shape(pool.window)](const ElementRun& run) {
    run.launches.launch_MaxPoolElement(run.stream, y.count(),
                                       {run.input(0), run.output(0), run.output<std::uint8_t>(1), x, y, window});
  });
  return sequence;
}

ElementSequence element_sequence(const MaxPoolBackward& pool, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([x = tensor_grid(op.outputs[0].extents, op.layout), y = tensor_grid(op.inputs[0].extents, op.layout),
                window = window_shape(pool.window)](const ElementRun& run) {
    run.launches.launch_MaxPoolBackwardElement(run.stream, x.count(),
                                               {run.input(0), run.input<std::uint8_t>(1), run.output(0), x, y, window});
  });
  return sequence;
}

ElementSequence element_sequence(const GlobalAveragePool&, const OpDescription& op) {
  ElementSequence sequence;
  const ChannelGroups groups{tensor_grid(op.inputs[0].extents, op.layout), true};
  add_channel_sums(
      sequence, groups, 1.0 / static_cast<double>(groups.terms()), [](const ElementRun& run) { return run.input(0); },
      [](const ElementRun& run) { return run.output(0); });
  return sequence;
}

ElementSequence element_sequence(const GlobalAveragePoolBackward&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([grid = tensor_grid(op.outputs[0].extents, op.layout)](const ElementRun& run) {
    run.launches.launch_AverageBackwardElement(run.stream, grid.count(), {run.input(0), run.output(0), grid});
  });
  return sequence;
}

}  // namespace spillway
