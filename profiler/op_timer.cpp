#include "profiler/op_timer.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <utility>

#include "core/statistics.h"

namespace spillway {
namespace {

// In-place results become the next run's input. After this many runs they are made anew: a quarter, the steepest fall
// that an op gives values around 1 (sigmoid's gradient), is then still far from denormals, which are slow.
constexpr std::int64_t kRunsBeforeRefill = 4;

// Copies beside an op last this much longer than it is expected to, so that they don't end before it does.
constexpr double kCopyMargin = 1.3;
constexpr Seconds kWakeUp{200e-6};  // for the compute stream to notice that copies have started
// Copies that reach less than this of the link's rate beside an op were themselves held up.
constexpr double kLeastOfRate = 0.25;
constexpr Bytes kLeastCopy = 256_KiB;
constexpr std::int64_t kCopiesEachWay = 32;  // as few commands as suffice
constexpr std::int64_t kMostCopiesEachWay = 1000;
// A stream takes some thousand commands; who enqueues more waits, and for ever if the stream is held.
constexpr std::int64_t kMostCopiesHeld = 400;

// On a GPU: addresses that take turns, and runs that are enqueued at once to keep it busy.
constexpr std::size_t kRotatingCopies = 4;
constexpr int kRunsOfLoad = 16;

constexpr std::int64_t kRunsOfTrial = 3;

constexpr std::size_t kFewestBelieved = 2;

/// How often the calling thread has lost its core to another one, to a long.
void read_switches(void* result) {
  rusage usage{};
  if (getrusage(RUSAGE_THREAD, &usage) == 0) *static_cast<long*>(result) = usage.ru_nivcsw;
}

}  // namespace

std::vector<OpRunTime> credible(std::vector<OpRunTime> runs) {
  std::ranges::stable_sort(runs, {}, [](const OpRunTime& run) { return std::pair(run.disturbed, run.seconds); });
  const auto undisturbed = static_cast<std::size_t>(std::ranges::count(runs, false, &OpRunTime::disturbed));
  runs.resize(std::min(runs.size(), std::max(undisturbed, kFewestBelieved)));
  return runs;
}

RepeatRule repeat_rule(const DeviceProperties& properties) {
  if (properties.on_host) return {};
  return {.least = 7, .least_of_long = 7, .long_op = {0.1}, .enough = {0.02}, .most = 25};
}

OpTimer::OpTimer(Workbench& bench, BytesPerSecond copy_rate, RepeatRule rule)
    : bench_(bench), copy_rate_(copy_rate), rule_(rule), on_host_(bench.device().properties().on_host) {
  for (EventId* event : {&begun_, &ended_, &flushed_, &in_.started, &in_.ended, &out_.started, &out_.ended}) {
    *event = bench.device().create_event();
  }
}

OpTiming OpTimer::time(const OpDescription& op, KernelId kernel, const OperandPlaces& places) {
  OperandCopies operands(bench_, op, kernel, places, on_host_ ? 1 : kRotatingCopies);
  operands.fill();
  // CUDA loads a kernel when it is launched first, and may wait for all streams then: never behind a held one.
  if (!on_host_) run_unheld(operands, 1);
  OpTiming timing = measure(operands);
  if (!timing.throttled) return timing;
  // Once warm and at its power limit a GPU stays at the clocks that training will see.
  const auto begun = std::chrono::steady_clock::now();
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count() < rule_.load.value) {
    run_unheld(operands, kRunsOfLoad);
  }
  operands.refill_overwritten();
  return measure(operands);
}

Seconds OpTimer::try_out(const OpDescription& op, KernelId kernel, const OperandPlaces& places, Seconds give_up) {
  OperandCopies operands(bench_, op, kernel, places, on_host_ ? 1 : kRotatingCopies);
  operands.fill();
  run_unheld(operands, 1);
  std::vector<OpRunTime> runs;
  while (std::ssize(runs) < std::min(kRunsOfTrial, rule_.least)) {
    runs.push_back(run_alone(operands));
    if (runs.front().seconds > give_up.value) break;
  }
  std::vector<double> seconds;
  for (const OpRunTime& time : credible(std::move(runs))) seconds.push_back(time.seconds);
  return {median(std::move(seconds))};
}

OpTiming OpTimer::measure(OperandCopies& operands) {
  clocks_.reset();
  throttled_ = false;
  // The first run makes pages, code and threads ready, and tells how long copies beside it must last.
  double expected = run_alone(operands).seconds;
  std::vector<OpRunTime> alone, beside;
  double sum = 0;  // of undisturbed runs
  std::int64_t tried = 0, least = rule_.least;
  const auto undisturbed = [](const std::vector<OpRunTime>& runs) {
    return std::ranges::count(runs, false, &OpRunTime::disturbed);
  };
  while (true) {
    const bool is_long = expected > rule_.long_op.value;
    least = is_long ? rule_.least_of_long : rule_.least;
    if (tried >= (is_long ? std::min(rule_.most, 2 * least) : rule_.most)) break;
    if (std::min(undisturbed(alone), undisturbed(beside)) >= least && sum >= rule_.enough.value) break;
    if (tried++ % kRunsBeforeRefill == kRunsBeforeRefill - 1) operands.refill_overwritten();
    // In turns, so that what else the machine does hits both alike.
    alone.push_back(run_alone(operands));
    beside.push_back(run_beside_copies(operands, {expected}));
    if (!alone.back().disturbed) sum += alone.back().seconds;
    expected = std::ranges::min(alone, {}, &OpRunTime::seconds).seconds;
  }
  std::vector<double> seconds, while_copying, rates;
  for (const OpRunTime& time : credible(alone)) seconds.push_back(time.seconds);
  for (const OpRunTime& time : credible(beside)) {
    while_copying.push_back(time.seconds);
    rates.push_back(time.copy_rate);
  }
  return {.seconds = {median(seconds)},
          .spread = spread(seconds),
          .while_copying = {median(while_copying)},
          .copy_rate = {median(rates)},
          .copying_disturbed = undisturbed(beside) < std::ssize(while_copying),
          .repeats = static_cast<std::int64_t>(seconds.size()),
          .clocks = clocks_,
          .throttled = throttled_};
}

void OpTimer::run_unheld(OperandCopies& operands, int runs) {
  bench_.device().enqueue_cache_flush(bench_.compute());
  for (int i = 0; i < runs; ++i) operands.enqueue_run();
  bench_.finish(bench_.compute());
}

void OpTimer::enqueue_timed(OperandCopies& operands, std::uint64_t value) {
  Device& device = bench_.device();
  const StreamId compute = bench_.compute();
  // A GPU's kernels run on no core that could be taken away.
  if (on_host_) device.enqueue_host_function(compute, &read_switches, &switches_before_);
  device.enqueue_record(compute, begun_, value);
  operands.enqueue_run();
  device.enqueue_record(compute, ended_, value);
  if (on_host_) device.enqueue_host_function(compute, &read_switches, &switches_after_);
}

OpRunTime OpTimer::run_time() const {
  const Device& device = bench_.device();
  return {.seconds = device.elapsed(begun_, ended_).value,
          .copy_rate = 0,
          .disturbed = switches_after_ != switches_before_};
}

void OpTimer::note_clocks() {
  const std::optional<ClockReading> reading = bench_.device().read_clocks();
  if (!reading) return;
  clocks_ = reading;
  throttled_ |= reading->throttled;
}

OpRunTime OpTimer::run_alone(OperandCopies& operands) {
  Device& device = bench_.device();
  const std::uint64_t value = bench_.next_value();
  device.enqueue_cache_flush(bench_.compute());
  device.enqueue_record(bench_.compute(), flushed_, value);
  // The stream rests for a moment, and so isn't the first to lose its core when others want one.
  bench_.hold(bench_.compute());
  enqueue_timed(operands, value);
  device.wait(flushed_, value);
  bench_.release();
  if (!on_host_) note_clocks();  // while it runs
  bench_.finish(bench_.compute());
  return run_time();
}

OpRunTime OpTimer::run_beside_copies(OperandCopies& operands, Seconds expected) {
  Device& device = bench_.device();
  const std::uint64_t value = bench_.next_value();
  const double each_way = kCopyMargin * (expected + kWakeUp).value * copy_rate_.value / 2;
  const Bytes size{
      std::clamp(static_cast<std::int64_t>(each_way) / kCopiesEachWay, kLeastCopy.value, bench_.copy_area().value)};
  const std::int64_t copies = std::clamp<std::int64_t>(static_cast<std::int64_t>(each_way) / size.value + 1, 1,
                                                       on_host_ ? kMostCopiesEachWay : kMostCopiesHeld);

  const StreamId compute = bench_.compute();
  // To enqueue the copies takes longer than a GPU's short ops; it starts when everything is there.
  if (!on_host_) bench_.hold(compute);
  device.enqueue_cache_flush(compute);
  device.enqueue_record(compute, flushed_, value);
  for (const CopyWay way : {CopyWay::in, CopyWay::out}) {
    const auto& [started, ended] = way == CopyWay::in ? in_ : out_;
    const StreamId stream = bench_.stream(way);
    device.enqueue_wait(stream, flushed_, value);
    device.enqueue_record(stream, started, value);
    for (std::int64_t i = 0; i < copies; ++i) bench_.enqueue_copy(way, size);
    device.enqueue_record(stream, ended, value);
  }
  device.enqueue_wait(compute, in_.started, value);
  device.enqueue_wait(compute, out_.started, value);
  enqueue_timed(operands, value);
  if (!on_host_) bench_.release();
  bench_.finish(compute);
  for (const EventId event : {in_.ended, out_.ended}) device.wait(event, value);

  OpRunTime time = run_time();
  if (time.seconds <= 0) return time;
  // From an event just before all of these: a GPU's times since its epoch are too coarse after a minute.
  const auto at = [&](EventId event) { return device.elapsed(flushed_, event); };
  const Seconds begun = at(begun_), ended = at(ended_);
  const auto bytes_beside = [&](const Way& way) {
    const Seconds from = at(way.started), to = at(way.ended);
    const Seconds shared = std::min(to, ended) - std::max(from, begun);
    return static_cast<double>((copies * size).value) * std::clamp(shared / (to - from), 0.0, 1.0);
  };
  time.copy_rate = (bytes_beside(in_) + bytes_beside(out_)) / time.seconds;
  time.disturbed |= time.copy_rate < kLeastOfRate * copy_rate_.value;
  return time;
}

}  // namespace spillway
