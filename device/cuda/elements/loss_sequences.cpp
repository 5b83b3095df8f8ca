#include "device/cuda/elements/sequences.h"

namespace spillway {

ElementSequence element_sequence(const SoftmaxCrossEntropy&, const OpDescription& op) {
  ElementSequence sequence;
  const std::int64_t samples = op.inputs[0].extents[0], classes = op.inputs[0].extents[1];
  const auto sums = sequence.scratch<ExponentialSum>(samples);
  const auto losses = sequence.scratch<Totals<1>>(samples);
  sequence.add([=](const ElementRun& run) {
    const float* logits = run.input(0);
    run.launches.launch_SoftmaxRow(run.stream, samples,
                                   {logits, run.input<std::int64_t>(1), sums.of(run), losses.of(run), classes});
    run.launches.launch_SoftmaxElement(run.stream, samples * classes, {logits, sums.of(run), run.output(1), classes});
    run.launches.launch_MergedSumRow(run.stream, 1,
                                     {{losses.of(run), samples}, 1.0 / static_cast<double>(samples), run.output(0)});
  });
  return sequence;
}

ElementSequence element_sequence(const SoftmaxCrossEntropyBackward&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([samples = op.inputs[0].extents[0], classes = op.inputs[0].extents[1]](const ElementRun& run) {
    run.launches.launch_CrossEntropyBackwardElement(
        run.stream, samples * classes,
        {run.input(0), run.input<std::int64_t>(1), run.output(0), classes, 1.0F / static_cast<float>(samples)});
  });
  return sequence;
}

ElementSequence element_sequence(const DiceLoss& dice, const OpDescription& op) {
  ElementSequence sequence;
  const ChannelGroups groups{tensor_grid(op.inputs[0].extents, op.layout), true};
  const RowParts parts = row_parts(groups.count(), groups.terms());
  const auto partial = sequence.scratch<Totals<2>>(groups.count() * parts.count);
  const auto quotients = sequence.scratch<Totals<1>>(groups.count());
  sequence.add([=, smoothing = dice.smoothing](const ElementRun& run) {
    run.launches.launch_DiceOverlapPartRow(run.stream, groups.count() * parts.count,
                                           {{run.input(0), run.input(1), groups}, parts, partial.of(run)});
    run.launches.launch_DiceRow(
        run.stream, groups.count(),
        {{partial.of(run), parts.count}, run.output(1), quotients.of(run), groups.grid.channels, smoothing});
    run.launches.launch_MergedSumRow(
        run.stream, 1,
        {{quotients.of(run), groups.count()}, -1.0 / static_cast<double>(groups.count()), run.output(0)});
  });
  return sequence;
}

ElementSequence element_sequence(const DiceLossBackward& dice, const OpDescription& op) {
  ElementSequence sequence;
  const TensorGrid grid = tensor_grid(op.inputs[0].extents, op.layout);
  const std::int64_t groups = grid.samples * grid.channels;
  const auto terms = sequence.scratch<DiceTerms>(groups);
  sequence.add([=, smoothing = dice.smoothing](const ElementRun& run) {
    run.launches.launch_DiceTermsElement(
        run.stream, groups, {run.input(1), terms.of(run), grid.channels, smoothing, 1.0 / static_cast<double>(groups)});
    run.launches.launch_DiceBackwardElement(run.stream, grid.count(),
                                            {run.input(0), terms.of(run), run.output(0), grid});
  });
  return sequence;
}

}  // namespace spillway
