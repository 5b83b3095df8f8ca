#include "device/cuda/elements/sequences.h"

namespace spillway {

ElementSequence element_sequence(const LeakyRelu& relu, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([slope = static_cast<float>(relu.slope), count = elements(op.outputs[0])](const ElementRun& run) {
    run.launches.launch_LeakyReluElement(run.stream, count, {run.input(0), run.output(0), slope});
  });
  return sequence;
}

ElementSequence element_sequence(const LeakyReluBackward& relu, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([slope = static_cast<float>(relu.slope), count = elements(op.outputs[0])](const ElementRun& run) {
    run.launches.launch_LeakyReluBackwardElement(run.stream, count, {run.input(0), run.input(1), run.output(0), slope});
  });
  return sequence;
}

ElementSequence element_sequence(const Sigmoid&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([count = elements(op.outputs[0])](const ElementRun& run) {
    run.launches.launch_SigmoidElement(run.stream, count, {run.input(0), run.output(0)});
  });
  return sequence;
}

ElementSequence element_sequence(const SigmoidBackward&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([count = elements(op.outputs[0])](const ElementRun& run) {
    run.launches.launch_SigmoidBackwardElement(run.stream, count, {run.input(0), run.input(1), run.output(0)});
  });
  return sequence;
}

ElementSequence element_sequence(const Add&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([count = elements(op.outputs[0])](const ElementRun& run) {
    run.launches.launch_AddElement(run.stream, count, {run.input(0), run.input(1), run.output(0)});
  });
  return sequence;
}

ElementSequence element_sequence(const ChannelDropout& dropout, const OpDescription& op) {
  ElementSequence sequence;
  const TensorGrid grid = tensor_grid(op.inputs[0].extents, op.layout);
  const std::int64_t channels = grid.samples * grid.channels;
  const auto factors = sequence.scratch<float>(channels);
  sequence.add([=](const ElementRun& run) {
    run.launches.launch_DropoutFactorElement(
        run.stream, channels,
        {run.input<std::int64_t>(1), run.input<std::int64_t>(2), run.input<std::int64_t>(3), factors.of(run),
         grid.channels, dropout.salt, dropout.rate});
    run.launches.launch_ChannelScaleElement(run.stream, grid.count(),
                                            {run.input(0), factors.of(run), run.output(0), grid});
  });
  return sequence;
}

}  // namespace spillway
