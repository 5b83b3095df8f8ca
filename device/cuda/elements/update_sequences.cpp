#include "device/cuda/elements/sequences.h"

namespace spillway {

ElementSequence element_sequence(const AdvanceStep&, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([count = elements(op.outputs[0])](const ElementRun& run) {
    run.launches.launch_AdvanceStepElement(run.stream, count,
                                           {run.input<std::int64_t>(0), run.output<std::int64_t>(0)});
  });
  return sequence;
}

ElementSequence element_sequence(const SgdMomentum& sgd, const OpDescription& op) {
  ElementSequence sequence;
  sequence.add([momentum = static_cast<float>(sgd.momentum), count = elements(op.inputs[0])](const ElementRun& run) {
    run.launches.launch_SgdElement(
        run.stream, count,
        {run.input(0), run.input(1), run.input(2), run.input(3), run.output(0), run.output(1), momentum});
  });
  return sequence;
}

ElementSequence element_sequence(const Adam& adam, const OpDescription& op) {
  ElementSequence sequence;
  const auto factors = sequence.scratch<AdamFactors>(1);
  sequence.add([=, count = elements(op.inputs[0])](const ElementRun& run) {
    run.launches.launch_AdamFactorsElement(
        run.stream, 1, {run.input(4), run.input<std::int64_t>(5), factors.of(run), adam.beta1, adam.beta2});
    run.launches.launch_AdamElement(run.stream, count,
                                    {.w = run.input(0),
                                     .dw = run.input(1),
                                     .m = run.input(2),
                                     .v = run.input(3),
                                     .factors = factors.of(run),
                                     .new_w = run.output(0),
                                     .new_m = run.output(1),
                                     .new_v = run.output(2),
                                     .beta1 = static_cast<float>(adam.beta1),
                                     .rest1 = static_cast<float>(1 - adam.beta1),
                                     .beta2 = static_cast<float>(adam.beta2),
                                     .rest2 = static_cast<float>(1 - adam.beta2),
                                     .epsilon = static_cast<float>(adam.epsilon)});
  });
  return sequence;
}

ElementSequence element_sequence(const Accumulate& accumulate, const OpDescription& op) {
  ElementSequence sequence;
  for (std::size_t i = 0; i < op.outputs.size(); ++i) {
    sequence.add(
        [i, scale = static_cast<float>(accumulate.scale), count = elements(op.outputs[i])](const ElementRun& run) {
          run.launches.launch_AccumulateElement(run.stream, count,
                                                {run.input(2 * i), run.input(2 * i + 1), run.output(i), scale});
        });
  }
  return sequence;
}

ElementSequence element_sequence(const RunningStatistics& statistics, const OpDescription& op) {
  ElementSequence sequence;
  const std::int64_t values = op.batch * statistics.values_per_sample;
  // The variance of a single value has no unbiased form; it stays as it is.
  const double unbiased = values > 1 ? static_cast<double>(values) / static_cast<double>(values - 1) : 1.0;
  sequence.add([=, momentum = statistics.momentum, channels = elements(op.inputs[0])](const ElementRun& run) {
    run.launches.launch_RunningStatisticsElement(run.stream, channels,
                                                 {.mean = run.input(0),
                                                  .variance = run.input(1),
                                                  .running_mean = run.input(2),
                                                  .running_variance = run.input(3),
                                                  .new_mean = run.output(0),
                                                  .new_variance = run.output(1),
                                                  .momentum = momentum,
                                                  .unbiased = unbiased});
  });
  return sequence;
}

}  // namespace spillway
