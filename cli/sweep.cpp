#include "tuner/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/ranks.h"
#include "cli/stop_on_signals.h"
#include "cli/sweep_machines.h"
#include "cli/sweep_output.h"
#include "cli/sweep_store.h"
#include "core/io/atomic_file.h"
#include "core/io/files.h"
#include "core/io/points_text.h"

namespace spillway {
namespace {

SweepRequest request_of(const SweepOptions& options, const Trace& trace) {
  SweepRequest request;
  request.trace = &trace;
  request.machines = sweep_machines(options, trace);
  request.capacities = list_of(options.capacities);
  request.batches = numbers_of(options.batches, "--batch");
  if (request.batches.empty()) request.batches = {trace.batches.front().batch};
  request.policies = list_of(options.policies);
  if (request.policies.empty()) request.policies = {kDefaultPolicy};
  if (options.evaluations > 0) request.evaluations = options.evaluations;
  return request;
}

/// This rank's part of the points that are to be computed.
std::vector<std::size_t> dealt(const std::vector<std::size_t>& missing, const Communicator* communicator) {
  if (communicator == nullptr) return missing;
  std::vector<std::size_t> mine;
  const auto ranks = static_cast<std::size_t>(communicator->size());
  for (auto i = static_cast<std::size_t>(communicator->rank()); i < missing.size(); i += ranks)
    mine.push_back(missing[i]);
  return mine;
}

/// Points done and time left, on a terminal.
class SweepProgress {
 public:
  explicit SweepProgress(std::size_t points) : points_(points) {}

  void one_more() {
    ++done_;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    const double left = spent.count() / static_cast<double>(done_) * static_cast<double>(points_ - done_);
    line_.show(fmt::format("sweep: {} of {} points, {:.0f} s left", done_, points_, left));
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::size_t points_, done_ = 0;
  ProgressLine line_;
};

void compute(const SweepRequest& request, const SweepOptions& options, const Ranks& ranks,
             const std::atomic<bool>& stop, std::vector<SweepPoint>& points, SweepStore& store) {
  const std::vector<std::size_t> mine = dealt(unanswered(points), ranks.communicator());
  std::optional<SweepProgress> progress;
  if (ranks.is_first()) progress.emplace(mine.size());
  SweepRun run;
  run.jobs = options.jobs > 0 ? static_cast<std::size_t>(options.jobs)
                              : std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
  run.stop = &stop;
  run.finished = [&](const SweepPoint& point) {
    store.add(point);
    if (progress) progress->one_more();
  };
  run_sweep_points(request, points, mine, run);
}

void write_results(const SweepOptions& options, const std::string& model, std::span<const SweepPoint> points) {
  const bool any = std::ranges::any_of(points, [](const SweepPoint& point) { return point.answer->fits(); });
  if (options.csv) write_file_atomically(*options.csv, points_csv(points));
  if (options.plot && any) write_file_atomically(*options.plot, sweep_plot(points, model + ": step time by capacity"));
  fmt::print("{}", options.json ? points_json(points) : sweep_table(points));
}

}  // namespace

ExitCode run_sweep(const SweepOptions& options) {
  const Ranks ranks;
  const Trace trace = read_trace(options.trace);
  for (const std::optional<std::string>* file : {&options.points, &options.csv, &options.plot}) {
    if (*file && ranks.is_first()) require_writable(**file);
  }
  const SweepRequest request = request_of(options, trace);
  std::vector<SweepPoint> points = sweep_points(request);
  SweepStore store(options.points, sha256_of_file(options.trace), ranks.communicator());
  for (const std::string& file : store.torn())
    fmt::print(stderr, "spillway: {}: its last line was cut off; that point is computed again\n", file);
  fill_in(points, store.found());

  const StopOnSignals signals;
  compute(request, options, ranks, signals.asked(), points, store);
  fill_in(points, store.gather());

  const std::size_t all = points.size();
  std::erase_if(points, [](const SweepPoint& point) { return !point.answer; });
  if (ranks.is_first()) write_results(options, trace.graph.name, points);
  if (points.size() < all) {
    if (ranks.is_first()) {
      fmt::print(stderr, "spillway: stopped as asked, with {} of {} points; {}\n", points.size(), all,
                 options.points ? "the same command computes the rest" : "--points FILE would have kept them");
    }
    return ExitCode::yes;
  }
  if (std::ranges::none_of(points, [](const SweepPoint& point) { return point.answer->fits(); }))
    throw Error(ExitCode::no, fmt::format("none of the {} points fits", all));
  return ExitCode::yes;
}

}  // namespace spillway
