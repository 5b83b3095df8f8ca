#include "tuner/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "core/error.h"
#include "core/io/files.h"
#include "core/sha256.h"
#include "sim/transfer.h"
#include "tuner/capacity.h"

namespace spillway {
namespace {

/// The policy's name, or the complaint about it.
void expect_policy(const std::string& name) {
  std::vector<std::string> names;
  for (const PolicyDescription& policy : policies()) names.push_back(policy.name);
  if (std::ranges::find(names, name) != names.end()) return;
  const std::string near = nearest_name(name, names);
  throw input_error(fmt::format("--policy: found '{}', expected one of {}{}", name, fmt::join(names, ", "),
                                near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
}

Bytes capacity_at(const SweepQuestion& question, const Platform& machine, const Trace& trace, Bytes footprint) {
  return question.capacity.empty() ? default_capacity(machine, trace, footprint)
                                   : parse_capacity(question.capacity, footprint);
}

/// What all points of a machine at one batch have in common.
struct MachineFacts {
  Transferred times;
  std::vector<ReductionWay> ways;  ///< none for one rank
  Bytes footprint;
};

MachineFacts facts_of(const Trace& trace, const Platform& machine, std::int64_t batch) {
  static_cast<void>(costs_at(trace, batch));
  MachineFacts facts{.times = transferred(trace, machine), .ways = {}, .footprint = {}};
  if (machine.ranks() > 1) facts.ways = reduction_ways(facts.times.trace, machine, batch, 1);
  TuneRequest request;
  request.trace = &facts.times.trace;
  request.platform = machine;
  request.batch = batch;
  request.reduction_ways = facts.ways;
  facts.footprint = footprint_of(request);
  return facts;
}

/// Works that out once. For use by several threads.
class KnownMachines {
 public:
  explicit KnownMachines(const Trace& trace) : trace_(trace) {}

  /// Lives as long as this. Requires: the machine can be. Throws Error (exit 2) when the batch wasn't profiled or
  /// several ranks have nothing to add up.
  [[nodiscard]] const MachineFacts& at(const SweepMachine& machine, std::int64_t batch) {
    const std::pair key(&machine, batch);
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = known_.find(key); found != known_.end()) return found->second;
    }
    // Two threads may both work it out; the first one's is kept.
    MachineFacts made = facts_of(trace_, *machine.machine, batch);
    const std::lock_guard lock(mutex_);
    return known_.emplace(key, std::move(made)).first->second;
  }

 private:
  const Trace& trace_;
  std::mutex mutex_;  ///< guards `known_`, whose values don't move
  std::map<std::pair<const SweepMachine*, std::int64_t>, MachineFacts> known_;
};

/// Why there can be no plan for a point; empty: there may be one.
std::string why_impossible(const SweepQuestion& question, const SweepMachine& machine, const Trace& trace) {
  if (!machine.machine) return machine.reason;
  try {
    static_cast<void>(costs_at(trace, question.batch));
    static_cast<void>(capacity_at(question, *machine.machine, trace, Bytes{1}));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

void add_plan(const Tuned& tuned, SweepAnswer& answer) {
  const Prediction& expected = *tuned.plan.prediction;
  answer.step = expected.step;
  answer.compute = expected.compute;
  answer.stall = expected.stall;
  answer.samples_per_second = static_cast<double>(samples_per_step(tuned.plan)) / expected.step.value;
  answer.arena = expected.arena;
  answer.host = expected.host;
  answer.swaps = static_cast<std::int64_t>(tuned.plan.swaps.size());
}

SweepAnswer planned(const SweepQuestion& question, const SweepMachine& machine, KnownMachines& machines) {
  SweepAnswer answer;
  answer.ranks = machine.machine->ranks();
  try {
    const MachineFacts& facts = machines.at(machine, question.batch);
    answer.footprint = facts.footprint;
    answer.capacity = capacity_at(question, *machine.machine, facts.times.trace, answer.footprint);
    TuneRequest request;
    request.trace = &facts.times.trace;
    request.platform = *machine.machine;
    request.batch = question.batch;
    request.capacity = answer.capacity;
    request.policy = question.policy;
    request.evaluations = question.evaluations;
    request.reduction_ways = facts.ways;
    const std::variant<Tuned, NothingFits> found = tune(request);
    if (const Tuned* tuned = std::get_if<Tuned>(&found)) {
      add_plan(*tuned, answer);
      answer.times = facts.times.how;
      return answer;
    }
    const NothingFits& no = std::get<NothingFits>(found);
    answer.smallest_capacity = no.smallest_capacity;
    answer.reason = fmt::format("policy '{}' finds no plan: {}", question.policy, to_text(no.shortfall));
  } catch (const Error& error) {
    if (error.code() != ExitCode::input) throw;
    answer.reason = error.what();
  }
  return answer;
}

/// What tells questions apart most, for a hash table; equality decides.
std::string key_of(const SweepQuestion& question) {
  return fmt::format("{}\n{}\n{}\n{}", question.machine_sha256, question.capacity, question.batch, question.policy);
}

std::size_t points_of_machine(const SweepRequest& request) {
  return std::max<std::size_t>(request.capacities.size(), 1) * request.batches.size() * request.policies.size();
}

}  // namespace

std::vector<SweepPoint> sweep_points(const SweepRequest& request) {
  SPILLWAY_CHECK(request.trace != nullptr, "a sweep names its trace");
  std::vector<std::string> capacities = request.capacities;
  if (capacities.empty()) capacities.emplace_back();
  for (const std::string& capacity : request.capacities) static_cast<void>(parse_capacity(capacity, Bytes{1}));
  for (const std::string& policy : request.policies) expect_policy(policy);
  std::vector<SweepPoint> points;
  for (const SweepMachine& machine : request.machines) {
    SweepQuestion question{.platform = machine.platform,
                           .gpus = machine.gpus,
                           .nodes = machine.nodes,
                           .policy = "",
                           .evaluations = request.evaluations};
    if (machine.machine) question.machine_sha256 = sha256(platform_text(*machine.machine));
    for (const std::string& capacity : capacities) {
      for (const std::int64_t batch : request.batches) {
        question.capacity = capacity;
        question.batch = batch;
        SweepAnswer answer;
        answer.ranks = machine.machine ? machine.machine->ranks() : 0;
        answer.reason = why_impossible(question, machine, *request.trace);
        for (const std::string& policy : request.policies) {
          question.policy = policy;
          points.push_back(
              {.question = question, .answer = answer.reason.empty() ? std::nullopt : std::optional(answer)});
        }
      }
    }
  }
  return points;
}

void fill_in(std::vector<SweepPoint>& points, std::span<const SweepPoint> found) {
  std::unordered_multimap<std::string, const SweepPoint*> known;
  for (const SweepPoint& point : found) known.emplace(key_of(point.question), &point);
  for (SweepPoint& point : points) {
    if (point.answer) continue;
    const auto [first, last] = known.equal_range(key_of(point.question));
    for (auto candidate = first; candidate != last && !point.answer; ++candidate) {
      if (candidate->second->question == point.question) point.answer = candidate->second->answer;
    }
  }
}

std::vector<std::size_t> unanswered(std::span<const SweepPoint> points) {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!points[i].answer) missing.push_back(i);
  }
  return missing;
}

void run_sweep_points(const SweepRequest& request, std::vector<SweepPoint>& points, std::span<const std::size_t> which,
                      const SweepRun& run) {
  const std::size_t of_machine = points_of_machine(request);
  KnownMachines machines(*request.trace);
  std::atomic<std::size_t> next{0};
  std::mutex mutex;  // guards `failure` and calls of `finished`
  std::exception_ptr failure;
  std::atomic<bool> failed{false};
  const auto work = [&] {
    try {
      while (!failed && !(run.stop && *run.stop)) {
        const std::size_t mine = next++;
        if (mine >= which.size()) return;
        SweepPoint& point = points[which[mine]];
        point.answer = planned(point.question, request.machines[which[mine] / of_machine], machines);
        const std::lock_guard lock(mutex);
        if (run.finished && !failed) run.finished(point);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      failed = true;
    }
  };
  std::vector<std::jthread> threads;
  const std::size_t jobs = std::clamp<std::size_t>(run.jobs, 1, std::max<std::size_t>(which.size(), 1));
  for (std::size_t i = 1; i < jobs; ++i) threads.emplace_back(work);
  work();
  threads.clear();  // joins
  if (failure) std::rethrow_exception(failure);
}

}  // namespace spillway
