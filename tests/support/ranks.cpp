#include "tests/support/ranks.h"

#include <gtest/gtest.h>

#include <cmath>

#include "comm/threads.h"
#include "compile/lower.h"
#include "core/planned_step.h"
#include "device/spec.h"
#include "tuner/tune.h"

namespace spillway {

Planned plan_for(const PlanFor& wanted) {
  const Trace& trace = *wanted.trace;
  TuneRequest request;
  request.trace = &trace;
  request.platform = trace.machine;
  if (wanted.ranks > 1) {
    request.platform.gpus_per_node = wanted.ranks;
    request.platform.gpu_links =
        GpuLinks{.kind = GpuLinks::Kind::crossbar, .rate = Rate{{1e9}, "test"}, .bricks = {}, .start = {1e-6}};
  }
  request.reduction = wanted.reduction;
  request.batch = trace.batches.front().batch;
  request.micro_batches = wanted.micro_batches;
  const Bytes all = footprint(planned_step(trace, wanted.micro_batches, std::nullopt), request.batch);
  request.capacity = {static_cast<std::int64_t>(wanted.share * static_cast<double>(all.value))};
  request.host_capacity = wanted.host_capacity;
  request.policy = wanted.policy;
  request.evaluations = 60;
  std::variant<Tuned, NothingFits> found = tune(request);
  Tuned& tuned = std::get<Tuned>(found);
  return {.step = planned_step(trace, wanted.micro_batches, tuned.plan.reduction),
          .schedule = std::move(tuned.schedule)};
}

std::vector<std::vector<float>> losses_on_ranks(int ranks, const Planned& planned, std::int64_t steps,
                                                const ChangeRequest& change) {
  std::vector<std::vector<float>> losses(static_cast<std::size_t>(ranks));
  run_ranks(ranks, [&](Communicator& communicator) {
    const std::unique_ptr<Device> device = make_device(parse_device(planned.schedule.plan.platform.device));
    TrainRequest request;
    request.trace = &planned.step;
    request.schedule = &planned.schedule;
    if (ranks > 1) request.communicator = &communicator;
    request.steps = steps;
    if (change) change(communicator.rank(), request);
    losses[static_cast<std::size_t>(communicator.rank())] = train(*device, request).losses;
  });
  return losses;
}

void expect_trained_as_one_batch(const std::vector<float>& found, const TinyModel& model, std::int64_t parts) {
  TinyModel together = model;
  together.batch = model.batch * parts;
  const Trace trace = profile_tiny(together);
  const std::vector<float> expected =
      losses_of(trace, *schedule_at(trace, "in-memory", 1), static_cast<std::int64_t>(found.size()));
  for (std::size_t step = 0; step < expected.size(); ++step)
    EXPECT_NEAR(found[step], expected[step], 1e-5 * std::abs(expected[step])) << parts << " parts, step " << step;
}

}  // namespace spillway
