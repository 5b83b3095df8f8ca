#include "tuner/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "core/error.h"
#include "tests/tuner/requests.h"

namespace spillway {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The traced machine with this link, each way.
SweepMachine with_link(const Trace& trace, const std::string& name, BytesPerSecond link) {
  SweepMachine machine{.platform = name, .machine = trace.machine};
  machine.machine->name = name;
  machine.machine->host_link.in.value = machine.machine->host_link.out.value = link;
  return machine;
}

/// Two machines, three capacities, two policies.
SweepRequest twelve_points(const Trace& trace) {
  return {.trace = &trace,
          .machines = {with_link(trace, "slow", {1e9}), with_link(trace, "fast", {1e10})},
          .capacities = {"70%", "85%", "100%"},
          .batches = {1},
          .policies = {"in-memory", "threshold"},
          .evaluations = 20};
}

std::vector<SweepPoint> computed(const SweepRequest& request, std::size_t jobs) {
  std::vector<SweepPoint> points = sweep_points(request);
  run_sweep_points(request, points, unanswered(points), {.jobs = jobs, .stop = nullptr, .finished = {}});
  return points;
}

std::string error_of(const SweepRequest& request) {
  try {
    static_cast<void>(sweep_points(request));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::input);
    return error.what();
  }
  return "no error";
}

TEST(Sweep, OrdersPointsByMachineCapacityBatchPolicy) {
  const Trace trace = chain_trace(four_layers());
  std::vector<std::string> order;
  for (const SweepPoint& point : sweep_points(twelve_points(trace)))
    order.push_back(point.question.platform + " " + point.question.capacity + " " + point.question.policy);
  EXPECT_THAT(order,
              ElementsAre("slow 70% in-memory", "slow 70% threshold", "slow 85% in-memory", "slow 85% threshold",
                          "slow 100% in-memory", "slow 100% threshold", "fast 70% in-memory", "fast 70% threshold",
                          "fast 85% in-memory", "fast 85% threshold", "fast 100% in-memory", "fast 100% threshold"));
}

TEST(Sweep, GivesAtEachPointWhatTuneGives) {
  const Trace trace = chain_trace(four_layers());
  const SweepRequest request = twelve_points(trace);
  for (const SweepPoint& point : computed(request, 1)) {
    SCOPED_TRACE(point.question.platform + " " + point.question.capacity + " " + point.question.policy);
    ASSERT_TRUE(point.answer);
    TuneRequest one = request_for(trace, point.question.policy, point.answer->capacity);
    one.platform = *request.machines[point.question.platform == "slow" ? 0 : 1].machine;
    one.evaluations = 20;
    const auto outcome = tune(one);
    ASSERT_EQ(point.answer->fits(), fits(outcome));
    EXPECT_EQ(point.answer->footprint, footprint(trace, 1));
    if (const auto* tuned = std::get_if<Tuned>(&outcome)) {
      EXPECT_EQ(point.answer->step, tuned->times.step);
      EXPECT_EQ(point.answer->stall, tuned->times.stall);
      EXPECT_EQ(point.answer->arena, tuned->schedule.arena_bytes);
      EXPECT_DOUBLE_EQ(point.answer->samples_per_second * tuned->times.step.value, 1);  // batch 1, one rank
    } else {
      EXPECT_EQ(point.answer->smallest_capacity, std::get<NothingFits>(outcome).smallest_capacity);
    }
  }
}

TEST(Sweep, GivesTheSameWhateverTheNumberOfJobs) {
  const Trace trace = chain_trace(random_chain(11));
  const SweepRequest request = twelve_points(trace);
  const std::vector<SweepPoint> one = computed(request, 1);
  EXPECT_THAT(unanswered(one), IsEmpty());
  EXPECT_EQ(one, computed(request, 2));
  EXPECT_EQ(one, computed(request, 64));  // more than points
}

TEST(Sweep, SaysWhyACombinationCantBe) {
  const Trace trace = chain_trace(four_layers());
  SweepRequest request = twelve_points(trace);
  request.machines = {{.platform = "none", .reason = "there are no 16 GPUs"}, request.machines[0]};
  request.capacities = {"100%"};
  request.batches = {1, 3};
  request.policies = {"in-memory"};
  const std::vector<SweepPoint> points = sweep_points(request);
  ASSERT_THAT(points, SizeIs(4));
  EXPECT_EQ(points[0].answer->reason, "there are no 16 GPUs");
  EXPECT_EQ(points[0].answer->ranks, 0);
  EXPECT_EQ(points[1].answer->reason, "there are no 16 GPUs");
  EXPECT_FALSE(points[2].answer);  // is to be computed
  EXPECT_EQ(points[3].answer->reason, "batch 3 wasn't profiled; the trace of 'chain' has 1; profile it with --batch 3");
  EXPECT_THAT(unanswered(points), ElementsAre(2));
}

TEST(Sweep, TakesWhatTuneRefusesForAReason) {
  // Four ranks of a machine of which nobody knows how they reach each other.
  const Trace trace = chain_trace(four_layers());
  SweepRequest request = twelve_points(trace);
  request.machines.resize(1);
  request.machines[0].machine->gpus_per_node = 4;
  for (const SweepPoint& point : computed(request, 1)) {
    EXPECT_FALSE(point.answer->fits());
    EXPECT_EQ(point.answer->ranks, 4);
    EXPECT_EQ(point.answer->reason, "'chain' has no gradients of parameters: several ranks have nothing to add up");
  }
}

TEST(Sweep, ReadsASizeAndTheMachinesDefaultAsCapacities) {
  const Trace trace = chain_trace(four_layers());
  SweepRequest request = twelve_points(trace);
  request.policies = {"in-memory"};
  request.capacities = {"6MiB"};
  EXPECT_EQ(computed(request, 1)[0].answer->capacity, 6_MiB);
  request.capacities = {};
  ASSERT_THAT(sweep_points(request), SizeIs(2));
  EXPECT_EQ(computed(request, 1)[0].answer->capacity, footprint(trace, 1));  // of a CPU
}

TEST(Sweep, RefusesWhatIsWrongEverywhere) {
  const Trace trace = chain_trace(four_layers());
  SweepRequest request = twelve_points(trace);
  request.policies = {"treshold"};
  EXPECT_EQ(error_of(request),
            "--policy: found 'treshold', expected one of in-memory, swap-all, tflms, threshold; did you mean "
            "'threshold'?");
  request = twelve_points(trace);
  request.capacities = {"80%", "many"};
  EXPECT_THAT(error_of(request), testing::StartsWith("--capacity: found 'many', expected "));
}

TEST(Sweep, ComputesOnlyWhatWasNotFoundBefore) {
  const Trace trace = chain_trace(four_layers());
  const SweepRequest request = twelve_points(trace);
  const std::vector<SweepPoint> all = computed(request, 1);
  std::vector<SweepPoint> odd;
  for (std::size_t i = 1; i < all.size(); i += 2) odd.push_back(all[i]);

  std::vector<SweepPoint> points = sweep_points(request);
  fill_in(points, odd);
  EXPECT_THAT(unanswered(points), ElementsAre(0, 2, 4, 6, 8, 10));
  std::vector<SweepQuestion> asked;
  run_sweep_points(request, points, unanswered(points),
                   {.jobs = 2, .stop = nullptr, .finished = [&](const SweepPoint& p) { asked.push_back(p.question); }});
  EXPECT_THAT(asked, SizeIs(6));
  EXPECT_EQ(points, all);
}

TEST(Sweep, TakesNoAnswerToAnotherQuestion) {
  const Trace trace = chain_trace(four_layers());
  const SweepRequest request = twelve_points(trace);
  const std::vector<SweepPoint> all = computed(request, 1);
  SweepRequest longer = request;
  longer.evaluations = 21;
  std::vector<SweepPoint> points = sweep_points(longer);
  fill_in(points, all);
  EXPECT_THAT(unanswered(points), SizeIs(12));
  // The same name for another machine.
  SweepRequest faster = request;
  faster.machines[0].machine->host_link.in.value = {2e9};
  points = sweep_points(faster);
  fill_in(points, all);
  EXPECT_THAT(unanswered(points), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Sweep, StopsAfterThePointsThatRun) {
  const Trace trace = chain_trace(four_layers());
  const SweepRequest request = twelve_points(trace);
  std::vector<SweepPoint> points = sweep_points(request);
  std::atomic<bool> stop{false};
  std::size_t finished = 0;
  run_sweep_points(request, points, unanswered(points),
                   {.jobs = 1, .stop = &stop, .finished = [&](const SweepPoint&) { stop = ++finished == 3; }});
  EXPECT_EQ(finished, 3U);
  EXPECT_THAT(unanswered(points), ElementsAre(3, 4, 5, 6, 7, 8, 9, 10, 11));
}

TEST(Sweep, PassesOnWhatTheCallerThrowsWhenAllThreadsHaveEnded) {
  const Trace trace = chain_trace(four_layers());
  const SweepRequest request = twelve_points(trace);
  std::vector<SweepPoint> points = sweep_points(request);
  std::size_t calls = 0;
  SweepRun run{.jobs = 3, .stop = nullptr, .finished = [&](const SweepPoint&) {
                 ++calls;
                 throw machine_error("disk full");
               }};
  EXPECT_THROW(run_sweep_points(request, points, unanswered(points), run), Error);
  EXPECT_EQ(calls, 1U);
}

}  // namespace
}  // namespace spillway
