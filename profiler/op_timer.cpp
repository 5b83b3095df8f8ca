#include "profiler/op_timer.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>
#include <variant>

#include "core/error.h"
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

/// The choice a max pool would note for the middle of each window: valid for every window, padded or not.
std::byte middle_of_window(const OpDescription& op) {
  std::int64_t volume = 1;
  const auto multiply = [&](const Window& window) {
    for (const std::int64_t extent : window.kernel) volume *= extent;
  };
  if (const auto* pool = std::get_if<MaxPoolBackward>(&op.attributes)) multiply(pool->window);
  return static_cast<std::byte>(volume / 2);
}

template <class Integer>
void fill_integers(Workbench& bench, Bytes at, const OperandDescription& operand) {
  // Labels of any number of classes alternate; a counter is that of the first step.
  const std::array<Integer, 2> pattern{operand.batched ? Integer{0} : Integer{1}, Integer{1}};
  bench.fill_pattern(at, bytes(operand), std::as_bytes(std::span(pattern)));
}

void fill_operand(Workbench& bench, Bytes at, const OperandDescription& operand, std::byte choice) {
  switch (operand.type) {
    case ElementType::float32: bench.fill_uniform(at, bytes(operand)); return;
    case ElementType::int32: fill_integers<std::int32_t>(bench, at, operand); return;
    case ElementType::int64: fill_integers<std::int64_t>(bench, at, operand); return;
    case ElementType::uint8: bench.fill_pattern(at, bytes(operand), std::span(&choice, 1)); return;
  }
}

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

OpTimer::OpTimer(Workbench& bench, BytesPerSecond copy_rate, RepeatRule rule)
    : bench_(bench), copy_rate_(copy_rate), rule_(rule) {
  for (EventId* event : {&begun_, &ended_, &flushed_, &in_.started, &in_.ended, &out_.started, &out_.ended}) {
    *event = bench.device().create_event();
  }
}

OpTiming OpTimer::time(const OpDescription& op, KernelId kernel, const OperandPlaces& places) {
  Addresses run{.kernel = kernel, .inputs = places.inputs, .outputs = places.outputs, .workspace = places.workspace};
  for (Bytes& at : run.inputs) at += bench_.operands();
  for (Bytes& at : run.outputs) at += bench_.operands();
  run.workspace += bench_.operands();

  fill(op, run, false);
  // The first run makes pages, code and threads ready, and tells how long copies beside it must last.
  double expected = run_alone(run).seconds;
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
    if (tried++ % kRunsBeforeRefill == kRunsBeforeRefill - 1) fill(op, run, true);
    // In turns, so that what else the machine does hits both alike.
    alone.push_back(run_alone(run));
    beside.push_back(run_beside_copies(run, {expected}));
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
          .repeats = static_cast<std::int64_t>(seconds.size())};
}

void OpTimer::fill(const OpDescription& op, const Addresses& run, bool only_overwritten) {
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    const bool overwritten = std::ranges::find(op.in_place, static_cast<int>(i)) != op.in_place.end();
    if (only_overwritten && !overwritten) continue;
    fill_operand(bench_, run.inputs[i], op.inputs[i], middle_of_window(op));
  }
}

void OpTimer::enqueue_timed(const Addresses& run, std::uint64_t value) {
  Device& device = bench_.device();
  const StreamId compute = bench_.compute();
  device.enqueue_host_function(compute, &read_switches, &switches_before_);
  device.enqueue_record(compute, begun_, value);
  device.enqueue_op(compute, run.kernel, {run.inputs, run.outputs, run.workspace});
  device.enqueue_record(compute, ended_, value);
  device.enqueue_host_function(compute, &read_switches, &switches_after_);
}

OpRunTime OpTimer::read_clocks() const {
  const Device& device = bench_.device();
  return {.seconds = device.elapsed(begun_, ended_).value,
          .copy_rate = 0,
          .disturbed = switches_after_ != switches_before_};
}

OpRunTime OpTimer::run_alone(const Addresses& run) {
  Device& device = bench_.device();
  const std::uint64_t value = bench_.next_value();
  device.enqueue_cache_flush(bench_.compute());
  device.enqueue_record(bench_.compute(), flushed_, value);
  // The stream rests for a moment, and so isn't the first to lose its core when others want one.
  bench_.hold(bench_.compute());
  enqueue_timed(run, value);
  device.wait(flushed_, value);
  bench_.release();
  bench_.finish(bench_.compute());
  return read_clocks();
}

OpRunTime OpTimer::run_beside_copies(const Addresses& run, Seconds expected) {
  Device& device = bench_.device();
  const std::uint64_t value = bench_.next_value();
  const double each_way = kCopyMargin * (expected + kWakeUp).value * copy_rate_.value / 2;
  const Bytes size{
      std::clamp(static_cast<std::int64_t>(each_way) / kCopiesEachWay, kLeastCopy.value, bench_.copy_area().value)};
  const std::int64_t copies =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(each_way) / size.value + 1, 1, kMostCopiesEachWay);

  const StreamId compute = bench_.compute();
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
  enqueue_timed(run, value);
  bench_.finish(compute);
  for (const EventId event : {in_.ended, out_.ended}) device.wait(event, value);

  OpRunTime time = read_clocks();
  if (time.seconds <= 0) return time;
  const Seconds begun = device.time_of(begun_), ended = device.time_of(ended_);
  const auto bytes_beside = [&](const Way& way) {
    const Seconds from = device.time_of(way.started), to = device.time_of(way.ended);
    const Seconds shared = std::min(to, ended) - std::max(from, begun);
    return static_cast<double>((copies * size).value) * std::clamp(shared / (to - from), 0.0, 1.0);
  };
  time.copy_rate = (bytes_beside(in_) + bytes_beside(out_)) / time.seconds;
  time.disturbed |= time.copy_rate < kLeastOfRate * copy_rate_.value;
  return time;
}

}  // namespace spillway
