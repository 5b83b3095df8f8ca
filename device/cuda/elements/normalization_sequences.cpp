#include "device/cuda/elements/sequences.h"

namespace spillway {

namespace {

ElementSequence norm(const OpDescription& op, bool per_sample, double epsilon) {
  ElementSequence sequence;
  const ChannelGroups groups{tensor_grid(op.inputs[0].extents, op.layout), per_sample};
  const RowParts parts = row_parts(groups.count(), groups.terms());
  const auto partial = sequence.scratch<Totals<2>>(groups.count() * parts.count);
  const auto factor = sequence.scratch<float>(groups.count());
  sequence.add([=](const ElementRun& run) {
    const float* x = run.input(0);
    float *mean = run.output(1), *variance = run.output(2);
    run.launches.launch_MomentPartRow(run.stream, groups.count() * parts.count, {{x, groups}, parts, partial.of(run)});
    run.launches.launch_NormStatisticsRow(
        run.stream, groups.count(),
        {{partial.of(run), parts.count}, x, run.input(1), mean, variance, factor.of(run), groups, epsilon});
    run.launches.launch_NormaliseElement(run.stream, groups.grid.count(),
                                         {x, run.input(2), mean, factor.of(run), run.output(0), groups});
  });
  return sequence;
}

ElementSequence norm_backward(const OpDescription& op, bool per_sample, double epsilon) {
  ElementSequence sequence;
  const ChannelGroups groups{tensor_grid(op.inputs[1].extents, op.layout), per_sample};
  const RowParts parts = row_parts(groups.count(), groups.terms());
  const auto partial = sequence.scratch<Totals<2>>(groups.count() * parts.count);
  const auto totals = sequence.scratch<Totals<2>>(groups.count());
  const auto terms = sequence.scratch<NormGradientTerms>(groups.count());
  sequence.add([=](const ElementRun& run) {
    const float *dy = run.input(0), *x = run.input(1), *mean = run.input(3);
    const std::int64_t channels = groups.grid.channels;
    run.launches.launch_NormGradientPartRow(run.stream, groups.count() * parts.count,
                                            {{dy, x, mean, groups}, parts, partial.of(run)});
    run.launches.launch_NormGradientRow(
        run.stream, groups.count(),
        {{partial.of(run), parts.count}, run.input(2), run.input(4), totals.of(run), terms.of(run), groups, epsilon});
    run.launches.launch_NormParameterRow(
        run.stream, channels, {totals.of(run), run.output(1), run.output(2), channels, groups.count() / channels});
    run.launches.launch_NormGradientElement(run.stream, groups.grid.count(),
                                            {dy, x, mean, terms.of(run), run.output(0), groups});
  });
  return sequence;
}

}  // namespace

ElementSequence element_sequence(const InstanceNorm& instance_norm, const OpDescription& op) {
  return norm(op, true, instance_norm.epsilon);
}
ElementSequence element_sequence(const InstanceNormBackward& instance_norm, const OpDescription& op) {
  return norm_backward(op, true, instance_norm.epsilon);
}
ElementSequence element_sequence(const BatchNorm& batch_norm, const OpDescription& op) {
  return norm(op, false, batch_norm.epsilon);
}
ElementSequence element_sequence(const BatchNormBackward& batch_norm, const OpDescription& op) {
  return norm_backward(op, false, batch_norm.epsilon);
}

}  // namespace spillway
