#include "tuner/tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "core/error.h"
#include "core/planned_step.h"
#include "tuner/choose.h"
#include "tuner/reduction.h"
#include "verify/verify.h"

namespace spillway {
namespace {

constexpr double kAsInMemory = 1.02;  // a plan this near to the step that keeps everything isn't worth a second search

struct Policy {
  PolicyDescription description;
  Outcome (*choose)(const Problem& problem);
};

const std::vector<Policy>& table() {
  static const std::vector<Policy> kPolicies{
      {.description = {.name = "in-memory",
                       .help = "keeps every buffer in the arena",
                       .source = "what frameworks do without swapping"},
       .choose = choose_in_memory},
      {.description = {.name = "swap-all",
                       .help = "swaps every buffer in every gap, parameters and optimizer state too",
                       .source = "the other extreme: the least memory and the most copies"},
       .choose = choose_swap_all},
      {.description = {.name = "tflms",
                       .help = "TFLMS v2: four knobs, tuned by its own replay of memory, without time",
                       .source = "Le et al., arXiv 1807.02037; IBM's branch tflmsv2"},
       .choose = choose_tflms},
      {.description = {.name = "threshold",
                       .help = "the knobs of tflms, chosen by simulated time and exact bytes",
                       .source = "this project"},
       .choose = choose_threshold},
  };
  return kPolicies;
}

const Policy& find_policy(const std::string& name) {
  std::vector<std::string> names;
  for (const Policy& policy : table()) {
    if (policy.description.name == name) return policy;
    names.push_back(policy.description.name);
  }
  const std::string near = nearest_name(name, names);
  throw input_error(fmt::format("policy '{}': there is no such policy{}; there are {}", name,
                                near.empty() ? "" : fmt::format("; did you mean '{}'?", near), fmt::join(names, ", ")));
}

void add_prediction(const Problem& problem, Tuned& tuned) {
  tuned.plan.prediction =
      Prediction{.step = tuned.times.step,
                 .compute = tuned.times.compute,
                 .stall = tuned.times.stall,
                 .arena = tuned.schedule.arena_bytes,
                 .host = tuned.schedule.host_bytes,
                 .footprint = footprint(problem.trace(), problem.request().batch, problem.request().platform)};
  tuned.schedule.plan = tuned.plan;
}

void check_is_safe(const Problem& problem, const Tuned& tuned) {
  const std::vector<Violation> violations = verify(problem.trace(), tuned.schedule);
  if (violations.empty()) return;
  SPILLWAY_CHECK(violations.empty(), fmt::format("the plan of '{}' breaks rule {}: {}", tuned.plan.policy,
                                                 static_cast<int>(violations.front().rule), violations.front().text));
}

std::variant<Tuned, NothingFits> tune_step(const Policy& policy, const TuneRequest& request) {
  const Problem problem(request);
  Outcome outcome = policy.choose(problem);
  if (Tuned* tuned = std::get_if<Tuned>(&outcome)) {
    add_prediction(problem, *tuned);
    check_is_safe(problem, *tuned);
  }
  return outcome;
}

std::variant<Tuned, NothingFits> tune_with(const Policy& policy, TuneRequest request,
                                           const std::optional<GradientReduction>& reduction) {
  const Trace step = planned_step(*request.trace, request.micro_batches, reduction);
  request.trace = &step;
  request.reduction = reduction;
  return tune_step(policy, request);
}

}  // namespace

Bytes footprint_of(const TuneRequest& request) {
  std::optional<GradientReduction> reduction = request.reduction;
  if (request.platform.ranks() > 1 && !reduction) {
    reduction = (request.reduction_ways.empty()
                     ? reduction_ways(*request.trace, request.platform, request.batch, request.micro_batches).front()
                     : request.reduction_ways.front())
                    .reduction;
  }
  return footprint(planned_step(*request.trace, request.micro_batches, reduction), request.batch, request.platform);
}

std::variant<Tuned, NothingFits> tune(const TuneRequest& request) {
  SPILLWAY_CHECK(request.trace != nullptr, "a request names its trace");
  const Policy& policy = find_policy(request.policy);
  if (request.platform.ranks() == 1 || request.reduction) return tune_with(policy, request, request.reduction);
  const std::vector<ReductionWay> found =
      request.reduction_ways.empty()
          ? reduction_ways(*request.trace, request.platform, request.batch, request.micro_batches)
          : std::vector<ReductionWay>();
  const std::span<const ReductionWay> ways = found.empty() ? request.reduction_ways : found;
  std::variant<Tuned, NothingFits> first = tune_with(policy, request, ways.front().reduction);
  const Tuned* tuned = std::get_if<Tuned>(&first);
  if (tuned && tuned->times.step <= kAsInMemory * ways.front().step) return first;
  // Memory costs time here. The way that holds gradients the shortest leaves most for the rest.
  const auto leanest = std::ranges::min_element(ways, {}, &ReductionWay::peak);
  if (leanest == ways.begin()) return first;
  std::variant<Tuned, NothingFits> second = tune_with(policy, request, leanest->reduction);
  const Tuned* other = std::get_if<Tuned>(&second);
  return other && (!tuned || other->times.step < tuned->times.step) ? std::move(second) : std::move(first);
}

const std::vector<PolicyDescription>& policies() {
  static const std::vector<PolicyDescription> kDescriptions = [] {
    std::vector<PolicyDescription> descriptions;
    for (const Policy& policy : table()) descriptions.push_back(policy.description);
    return descriptions;
  }();
  return kDescriptions;
}

}  // namespace spillway
