#include "profiler/copy_timer.h"

#include <algorithm>
#include <cstdint>

#include "core/error.h"
#include "core/statistics.h"

namespace spillway {
namespace {

constexpr Bytes kSmallest = 4_KiB;
constexpr std::int64_t kFactor = 4;
constexpr std::size_t kLeastRepeats = 5, kMostRepeats = 15;
// The median of the faster half: what else the machine does only ever makes a copy slower.
constexpr double kFasterHalf = 0.25;
constexpr double kEnough = 0.05;  // seconds a point's copies may take together

class CopyTimer {
 public:
  explicit CopyTimer(Workbench& bench) : bench_(bench) {
    for (EventId* event : {&released_, &copied_}) *event = bench.device().create_event();
  }

  std::vector<CopyPoint> curve(CopyWay way, bool other_busy) {
    std::vector<CopyPoint> points;
    once(way, kSmallest, other_busy);  // wakes the streams' threads
    for (Bytes size = kSmallest; size <= bench_.copy_area(); size = size * kFactor) {
      std::vector<double> times;
      double sum = 0;
      while (times.size() < kLeastRepeats || (times.size() < kMostRepeats && sum < kEnough)) {
        times.push_back(once(way, size, other_busy).value);
        sum += times.back();
      }
      points.push_back({.bytes = size, .seconds = {quantile(times, kFasterHalf)}});
    }
    return points;
  }

 private:
  Seconds once(CopyWay way, Bytes size, bool other_busy) {
    Device& device = bench_.device();
    const std::uint64_t value = bench_.next_value();
    const StreamId stream = bench_.stream(way), other = bench_.stream(opposite(way));
    bench_.hold(bench_.compute());
    device.enqueue_record(bench_.compute(), released_, value);
    if (other_busy) {
      // Twice as much as the timed copy, in pieces of its size: busy from before its start until after its end, even
      // where the other way is twice as fast.
      device.enqueue_wait(other, released_, value);
      for (int i = 0; i < 2; ++i)
        bench_.enqueue_copy(opposite(way), std::max(size, std::min(1_MiB, bench_.copy_area())));
    }
    device.enqueue_wait(stream, released_, value);
    bench_.enqueue_copy(way, size);
    device.enqueue_record(stream, copied_, value);
    bench_.release();
    device.wait(copied_, value);
    device.wait(released_, value);
    bench_.finish(other);
    return device.elapsed(released_, copied_);
  }

  Workbench& bench_;
  EventId released_, copied_;
};

Rate rate_of(const std::vector<CopyPoint>& curve, const Rate& set, const std::string& source) {
  return set.value.value > 0 ? set : Rate{fit_line(curve).rate, source};
}

}  // namespace

CopyCurves time_copies(Workbench& bench) {
  CopyTimer timer(bench);
  return {.in = timer.curve(CopyWay::in, false),
          .out = timer.curve(CopyWay::out, false),
          .in_both = timer.curve(CopyWay::in, true),
          .out_both = timer.curve(CopyWay::out, true)};
}

CopyLine fit_line(const std::vector<CopyPoint>& curve) {
  SPILLWAY_CHECK(curve.size() >= 2, "a line through fewer than two points");
  // t = start + b p, each equation divided by its t: the sums of 1/t^2, p/t^2, p^2/t^2, 1/t, p/t.
  double w = 0, wp = 0, wpp = 0, v = 0, vp = 0;
  for (const auto& [size, seconds] : curve) {
    const double t = seconds.value, p = static_cast<double>(size.value);
    w += 1 / (t * t), wp += p / (t * t), wpp += p * p / (t * t), v += 1 / t, vp += p / t;
  }
  const double determinant = w * wpp - wp * wp;
  const double start = (v * wpp - vp * wp) / determinant, per_byte = (w * vp - wp * v) / determinant;
  if (start >= 0 && per_byte > 0) return {.start = {start}, .rate = {1 / per_byte}};
  return {.start = {0}, .rate = {wpp / vp}};
}

HostLink link_from(const CopyCurves& curves, const HostLink& set, const std::string& source) {
  HostLink link{.in = rate_of(curves.in, set.in, source),
                .out = rate_of(curves.out, set.out, source),
                .both = set.both,
                .start = {std::max(fit_line(curves.in).start, fit_line(curves.out).start)}};
  if (!link.both) {
    // Neither more than both ways carry alone, nor less than one of them does.
    const double alone = link.in.value.value + link.out.value.value;
    const double together = fit_line(curves.in_both).rate.value + fit_line(curves.out_both).rate.value;
    const double one = std::max(link.in.value.value, link.out.value.value);
    if (together < alone) link.both = Rate{{std::max(together, one)}, source};
  }
  return link;
}

}  // namespace spillway
