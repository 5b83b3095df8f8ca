#include <gtest/gtest.h>

#include <algorithm>

#include "compile/lower.h"
#include "sim/simulate.h"
#include "tests/support/random_step.h"

namespace spillway {
namespace {

/// What a step can't be faster than, and can't be slower than: its parts all at once, and all one after another.
struct Bounds {
  double least = 0, most = 0;
};

Bounds bounds_of(const Trace& trace, const Schedule& schedule) {
  const HostLink& link = trace.machine.host_link;
  const Machine machine(trace.machine);
  const std::vector<double>& shared = machine.rates({machine.swap_in(0), machine.swap_out(0)});
  const BatchCosts& costs = costs_at(trace, schedule.plan.batch);
  double compute = 0, in = 0, out = 0;
  Bounds bounds;
  for (const Instruction& instruction : schedule.instructions) {
    if (instruction.kind == InstructionKind::compute) {
      const KernelCost& kernel = cost(costs, instruction.op);
      compute += kernel.seconds.value + trace.issue.value;
      bounds.most += std::max(kernel.seconds, kernel.seconds_while_copying).value + trace.issue.value;
      continue;
    }
    const auto size = static_cast<double>(bytes(trace.graph.buffers[instruction.buffer], schedule.plan.batch).value);
    const bool is_in = instruction.kind == InstructionKind::swap_in;
    (is_in ? in : out) += size;
    bounds.most += link.start.value + size / shared[is_in ? machine.swap_in(0) : machine.swap_out(0)];
  }
  bounds.least = std::max({compute, in / link.in.value.value, out / link.out.value.value});
  if (link.both) bounds.least = std::max(bounds.least, (in + out) / link.both->value.value);
  return bounds;
}

TEST(RandomSteps, AreAtLeastTheirLongestResourceAndAtMostTheSumOfAllParts) {
  int both_ways = 0;
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Trace trace = random_step(seed);
    const auto lowered = lower(trace, random_plan(trace, seed));
    ASSERT_TRUE(std::holds_alternative<Schedule>(lowered));
    const Schedule& schedule = std::get<Schedule>(lowered);
    HostLink& link = trace.machine.host_link;
    if (seed % 3 == 0) link.both = Rate{{0.75 * (link.in.value.value + link.out.value.value)}, "test"};
    for (KernelCost& kernel : trace.batches.front().kernels) kernel.seconds_while_copying = kernel.seconds * 1.3;

    const Bounds bounds = bounds_of(trace, schedule);
    const StepTimes times = step_times(trace, schedule, trace.machine);
    EXPECT_GE(times.step.value, bounds.least * (1 - 1e-12));
    EXPECT_LE(times.step.value, bounds.most * (1 + 1e-12));
    EXPECT_EQ(simulate(trace, schedule, trace.machine).step, times.step);

    // A link twice as fast both ways never makes a step longer than the slow one's bound.
    link.in.value.value *= 2;
    link.out.value.value *= 2;
    EXPECT_LE(step_times(trace, schedule, trace.machine).step.value, bounds.most * (1 + 1e-12));
    both_ways += bounds.most > bounds.least * 1.01 ? 1 : 0;
  }
  EXPECT_GT(both_ways, 250);  // else the two bounds would say nothing
}

}  // namespace
}  // namespace spillway
