#include "tuner/tune.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "tuner/choose.h"
#include "verify/verify.h"

namespace spillway {
namespace {

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
  tuned.plan.prediction = Prediction{.step = tuned.times.step,
                                     .compute = tuned.times.compute,
                                     .stall = tuned.times.stall,
                                     .arena = tuned.schedule.arena_bytes,
                                     .host = tuned.schedule.host_bytes,
                                     .footprint = footprint(problem.trace(), problem.request().batch)};
  tuned.schedule.plan = tuned.plan;
}

void check_is_safe(const Problem& problem, const Tuned& tuned) {
  const std::vector<Violation> violations = verify(problem.trace(), tuned.schedule);
  if (violations.empty()) return;
  SPILLWAY_CHECK(violations.empty(), fmt::format("the plan of '{}' breaks rule {}: {}", tuned.plan.policy,
                                                 static_cast<int>(violations.front().rule), violations.front().text));
}

}  // namespace

std::variant<Tuned, NothingFits> tune(const TuneRequest& request) {
  SPILLWAY_CHECK(request.trace != nullptr, "a request names its trace");
  const Policy& policy = find_policy(request.policy);
  const Problem problem(request);
  Outcome outcome = policy.choose(problem);
  if (Tuned* tuned = std::get_if<Tuned>(&outcome)) {
    add_prediction(problem, *tuned);
    check_is_safe(problem, *tuned);
  }
  return outcome;
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
