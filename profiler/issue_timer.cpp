#include "profiler/issue_timer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "core/error.h"
#include "core/statistics.h"

namespace spillway {
namespace {

constexpr int kChain = 200;
constexpr int kChains = 9;

OpDescription smallest_op() {
  const OperandDescription step{.type = ElementType::int64, .batched = false, .extents = {1}};
  return {.attributes = AdvanceStep{},
          .layout = Layout::channels_last,
          .inputs = {step},
          .outputs = {step},
          .in_place = {0}};
}

}  // namespace

Bytes issue_operands() {
  return bytes(smallest_op().inputs.front());
}

Seconds time_issue(Workbench& bench) {
  Device& device = bench.device();
  const std::vector<KernelOption> options = device.kernels(smallest_op());
  if (options.empty()) {
    throw machine_error("device " + device.properties().device +
                        ": no kernel for advance_step, which every step needs");
  }
  const KernelId kernel = device.prepare(smallest_op(), options.front().id);
  const std::array<Bytes, 1> at{bench.operands()};
  const std::int64_t first_step = 1;
  bench.fill_pattern(at[0], issue_operands(), std::as_bytes(std::span(&first_step, 1)));
  const StreamId compute = bench.compute();
  const EventId released = device.create_event(), begun = device.create_event(), ended = device.create_event(),
                completed = device.create_event();
  const auto run = [&] { device.enqueue_op(compute, kernel, {at, at, {}}); };
  /// Runs what `enqueue` enqueues between two events; the stream starts when all of it is there.
  const auto seconds = [&](auto enqueue) {
    const std::uint64_t value = bench.next_value();
    device.enqueue_record(bench.stream(CopyWay::in), released, value);
    bench.hold(compute);
    device.enqueue_record(compute, begun, value);
    enqueue(value);
    device.enqueue_record(compute, ended, value);
    bench.release();
    device.wait(ended, value);
    return device.elapsed(begun, ended).value;
  };
  // A GPU loads a kernel at its first launch and may want everything before it finished, which a held stream never is.
  run();
  bench.finish(compute);
  std::vector<double> alone, chained;
  for (int i = 0; i < kChains; ++i) {
    for (int j = 0; j < kChain / 10; ++j) alone.push_back(seconds([&](std::uint64_t) { run(); }));
    chained.push_back(seconds([&](std::uint64_t value) {
                        for (int j = 0; j < kChain; ++j) {
                          device.enqueue_wait(compute, released, value);
                          run();
                          device.enqueue_record(compute, completed, bench.next_value());
                        }
                      }) /
                      kChain);
  }
  return {std::max(0.0, median(chained) - median(alone))};
}

}  // namespace spillway
