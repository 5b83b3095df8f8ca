#include <algorithm>

#include "device/cuda/elements/sequences.h"

// Convolutions and matrix products.

namespace spillway {

namespace {

ConvolutionShape3d convolution_shape(const Window& window, const OperandDescription& x, const OperandDescription& y,
                                     Layout layout) {
  return {tensor_grid(x.extents, layout), tensor_grid(y.extents, layout), window_shape(window)};
}

/// Extents of the weights of a linear op, and how many samples they meet.
struct LinearShape {
  LinearShape(const OperandDescription& x, const OperandDescription& y)
      : samples(y.extents[0]),
        features(elements(x) / std::max<std::int64_t>(samples, 1)),
        outputs(elements(y) / std::max<std::int64_t>(samples, 1)) {}
  std::int64_t samples, features, outputs;
};

}  // namespace

ElementSequence element_sequence(const Convolution& convolution, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([shape = convolution_shape(convolution.window, op.inputs[0], op.outputs[0], op.layout),
                has_bias = op.inputs.size() > 2](const ElementRun& run) {
    const float* bias = has_bias ? run.input(2) : nullptr;
    run.launches.launch_ConvolutionElement(run.stream, shape.y.count(),
                                           {run.input(0), run.input(1), bias, run.output(0), shape});
  });
  return sequence;
}

ElementSequence element_sequence(const ConvolutionBackwardData& convolution, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add(
      [shape = convolution_shape(convolution.window, op.outputs[0], op.inputs[0], op.layout)](const ElementRun& run) {
        run.launches.launch_ConvolutionBackwardDataElement(run.stream, shape.x.count(),
                                                           {run.input(0), run.input(1), run.output(0), shape});
      });
  return sequence;
}

ElementSequence element_sequence(const ConvolutionBackwardWeights& convolution, const OpDescription& op) {
  ElementSequence sequence;
  const ConvolutionShape3d shape = convolution_shape(convolution.window, op.inputs[0], op.inputs[1], op.layout);
  const std::int64_t weights = elements(op.outputs[0]);
  const RowParts parts = row_parts(weights, shape.y.samples * shape.y.positions);
  if (parts.count == 1) {
    sequence.add([=](const ElementRun& run) {
      run.launches.launch_WeightGradientRow(run.stream, weights,
                                            {{run.input(0), run.input(1), shape}, 1.0, run.output(0)});
    });
  } else {
    const auto partial = sequence.scratch<Totals<1>>(weights * parts.count);
    sequence.add([=](const ElementRun& run) {
      run.launches.launch_WeightGradientPartRow(run.stream, weights * parts.count,
                                                {{run.input(0), run.input(1), shape}, parts, partial.of(run)});
      run.launches.launch_MergedSumRow(run.stream, weights, {{partial.of(run), parts.count}, 1.0, run.output(0)});
    });
  }
  if (op.outputs.size() > 1) add_bias_gradient(sequence, shape.y);
  return sequence;
}

ElementSequence element_sequence(const Linear&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([shape = LinearShape(op.inputs[0], op.outputs[0])](const ElementRun& run) {
    run.launches.launch_LinearRow(
        run.stream, shape.samples * shape.outputs,
        {run.input(0), run.input(1), run.input(2), run.output(0), shape.features, shape.outputs});
  });
  return sequence;
}

ElementSequence element_sequence(const LinearBackwardData&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([shape = LinearShape(op.outputs[0], op.inputs[0])](const ElementRun& run) {
    run.launches.launch_LinearBackwardDataElement(
        run.stream, shape.samples * shape.features,
        {run.input(0), run.input(1), run.output(0), shape.features, shape.outputs});
  });
  return sequence;
}

ElementSequence element_sequence(const LinearBackwardWeights&, const OpDescription& op) {
  ElementSequence sequence;
  const LinearShape shape(op.inputs[0], op.inputs[1]);
  sequence.add([=](const ElementRun& run) {
    run.launches.launch_LinearBackwardWeightsElement(
        run.stream, shape.features * shape.outputs,
        {run.input(0), run.input(1), run.output(0), shape.samples, shape.features, shape.outputs});
  });
  add_bias_gradient(sequence, tensor_grid({shape.samples, shape.outputs}, op.layout));
  return sequence;
}

}  // namespace spillway
