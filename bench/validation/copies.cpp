// Copies between host and GPU that others have measured, against predictions of the replica engine: one way by size,
// with lines and a curve fitted on every other row; both ways with the presets' caps.
// usage: copies [folder of the measurements] [folder of the platforms]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bench/validation/measurements.h"
#include "core/io/files.h"
#include "profiler/copy_timer.h"
#include "sim/all_reduce_time.h"
#include "sim/replica.h"

using namespace spillway;

namespace {

constexpr Bytes kSmallestFitted{64'000};  // below it the log's one decimal is coarse, and what is measured is launch
constexpr Bytes kMost{INT64_MAX};

/// A row of bandwidthTest.
struct Row {
  Bytes size;
  double gigabytes_per_second = 0;  // one decimal
  [[nodiscard]] Seconds seconds() const { return size / BytesPerSecond{1e9 * gigabytes_per_second}; }
};

std::vector<Row> read_bandwidth_test(const std::string& path) {
  std::vector<Row> rows;
  for (const std::string& line : lines_of(path)) {
    const auto rate = number_after(line, "Bandwidth = "), size = number_after(line, "Size = ");
    if (rate && size) rows.push_back({{std::llround(*size)}, *rate});
  }
  return rows;
}

/// When copies that are issued together end.
struct Ends {
  Seconds in, out;
};

/// A schedule of at most one copy each way on each GPU, run by the replica engine. Nothing is copied: no such copy.
Ends simulated(const Platform& platform, Bytes in, Bytes out) {
  Trace trace;
  trace.batches.push_back({.batch = 1, .kernels = {}, .kernel_of = {}});
  trace.interference_rate = {1};
  Schedule schedule;
  const auto add = [&](InstructionKind kind, StreamRole role, Bytes size) {
    Instruction copy;
    copy.kind = kind;
    copy.stream = schedule.streams.push_back({.role = role, .gpu = 0});
    copy.position = Position(0);
    copy.buffer = trace.graph.buffers.push_back(
        {.name = "copied", .role = Role::activation, .bytes_fixed = size, .bytes_per_sample = {}, .initializer = {}});
    return schedule.instructions.push_back(copy);
  };
  InstructionId swap_in, swap_out;
  if (in > Bytes{}) swap_in = add(InstructionKind::swap_in, StreamRole::swap_in, in);
  if (out > Bytes{}) swap_out = add(InstructionKind::swap_out, StreamRole::swap_out, out);
  const auto spans = run_replica(trace, schedule, Machine(platform)).front();
  return {.in = swap_in.valid() ? spans[swap_in].end : Seconds{},
          .out = swap_out.valid() ? spans[swap_out].end : Seconds{}};
}

enum class Way { in, out };

using Predictor = std::function<Seconds(Bytes)>;

Predictor by_simulation(const Platform& platform, Way way) {
  return [platform, way](Bytes size) {
    return way == Way::in ? simulated(platform, size, {}).in : simulated(platform, {}, size).out;
  };
}

/// Between measured sizes as sim does it for all-reduces; for copies it has no such function.
Predictor by_interpolation(std::vector<CopyPoint> points) {
  Trace trace;
  trace.all_reduces.push_back({.ranks = 1, .points = std::move(points)});
  return [trace](Bytes size) { return *measured_all_reduce(trace, Platform{}, size); };
}

std::vector<CopyPoint> points_of(const std::vector<Row>& rows) {
  std::vector<CopyPoint> points;
  for (const Row& row : rows) points.push_back({row.size, row.seconds()});
  return points;
}

/// The rows of one way, every other one to fit on, the others to test on: even and odd by number, from 1.
struct Halves {
  std::vector<Row> fitted, tested;
};

Halves halves_of(const std::vector<Row>& rows) {
  Halves halves;
  for (std::size_t i = 0; i < rows.size(); ++i) (i % 2 == 1 ? halves.fitted : halves.tested).push_back(rows[i]);
  return halves;
}

std::vector<Row> between(const std::vector<Row>& rows, Bytes from, Bytes to) {
  std::vector<Row> some;
  std::ranges::copy_if(rows, std::back_inserter(some),
                       [&](const Row& row) { return row.size >= from && row.size < to; });
  return some;
}

std::string errors_text(const std::vector<Row>& rows, const Predictor& predicted) {
  Errors errors;
  for (const Row& row : rows) errors.add(predicted(row.size).value, row.seconds().value);
  return fmt::format("{:+5.1f}, {:4.1f} % ({:+.1f} %)", 100 * errors.mean(), 100 * errors.mean_absolute(),
                     100 * errors.worst());
}

double rate_of(const Predictor& predicted, Bytes size) {
  return (size / predicted(size)).value / 1e9;
}

/// Whether the log, with its one decimal, allows what is predicted.
bool is_within_rounding(const Row& row, double gigabytes_per_second) {
  return std::abs(gigabytes_per_second - row.gigabytes_per_second) <= 0.05 + 1e-9;
}

/// What is compared, for one way.
struct OneWay {
  std::string name;
  Halves halves;
  Predictor preset, shared_start, own_start, curve;
};

OneWay one_way(const std::string& name, Way way, const std::vector<Row>& rows, const Platform& preset,
               const HostLink& shared) {
  const Halves halves = halves_of(rows);
  Platform platform = preset;
  platform.host_link = shared;
  OneWay result{.name = name,
                .halves = halves,
                .preset = by_simulation(preset, way),
                .shared_start = by_simulation(platform, way),
                .own_start = {},
                .curve = by_interpolation(points_of(halves.fitted))};
  platform.host_link.start = fit_line(points_of(between(halves.fitted, kSmallestFitted, kMost))).start;
  result.own_start = by_simulation(platform, way);
  return result;
}

void show_one_way(const std::string& data, const Platform& preset) {
  const std::vector<Row> rows_in = read_bandwidth_test(data + "/superbench/cuda_memory_h2d_bw.log");
  const std::vector<Row> rows_out = read_bandwidth_test(data + "/superbench/cuda_memory_d2h_bw.log");
  const auto large = [](const std::vector<Row>& rows) {
    return points_of(between(halves_of(rows).fitted, kSmallestFitted, kMost));
  };
  const std::vector<CopyPoint> in = large(rows_in), out = large(rows_out);
  // Curves beside the other way weren't measured; as if it were free.
  const HostLink shared = link_from({.in = in, .out = out, .in_both = in, .out_both = out}, {}, "fitted");
  fmt::print(
      "One way, V100 PCIe (bandwidthTest): errors of times, mean, mean absolute (worst), in rows that nothing was "
      "fitted on\n"
      "(a) the preset {}: {:.2f} us, {:.1f} GB/s in, {:.1f} GB/s out; taken from the same log, so a calibration\n"
      "(b) the tool's line through the even rows from 64 kB, one start for both ways: {:.2f} us, {:.2f} GB/s in, "
      "{:.2f} GB/s out\n"
      "(c) the same with a start for each way, which a platform can't have: {:.2f} us in, {:.2f} us out\n"
      "(d) the curve of all even rows, interpolated as sim does it for all-reduces\n\n",
      preset.name, 1e6 * preset.host_link.start.value, preset.host_link.in.value.value / 1e9,
      preset.host_link.out.value.value / 1e9, 1e6 * shared.start.value, shared.in.value.value / 1e9,
      shared.out.value.value / 1e9, 1e6 * fit_line(in).start.value, 1e6 * fit_line(out).start.value);

  const std::vector<OneWay> ways = {one_way("host to device", Way::in, rows_in, preset, shared),
                                    one_way("device to host", Way::out, rows_out, preset, shared)};
  fmt::print("{:<15} {:<16} {:>4}  {:<25} {:<25} {:<25} {}\n", "way", "sizes", "rows", "(a)", "(b)", "(c)", "(d)");
  for (const OneWay& way : ways) {
    for (const auto& [sizes, from, to] : {std::tuple{"64 kB up", kSmallestFitted, kMost},
                                          {"  64 kB to 1 MB", kSmallestFitted, {1'000'000}},
                                          {"  1 MB up", {1'000'000}, kMost},
                                          {"below 64 kB", {0}, kSmallestFitted}}) {
      const std::vector<Row> rows = between(way.halves.tested, from, to);
      fmt::print("{:<15} {:<16} {:>4}  {:<25} {:<25} {:<25} {}\n", way.name, sizes, rows.size(),
                 errors_text(rows, way.preset), errors_text(rows, way.shared_start), errors_text(rows, way.own_start),
                 errors_text(rows, way.curve));
    }
  }

  fmt::print(
      "\nBelow 64 kB and a little above, odd rows, GB/s as logged, then as (c) and (d) predict; *: not what the log's "
      "decimal\nallows\n\n{:>10}  {:<25} {}\n",
      "bytes", "host to device", "device to host");
  const auto cell = [](const Row& row, const OneWay& way) {
    std::string text = fmt::format("{:4.1f}", row.gigabytes_per_second);
    for (const Predictor& predicted : {way.own_start, way.curve}) {
      const double rate = rate_of(predicted, row.size);
      text += fmt::format("  {:5.2f}{}", rate, is_within_rounding(row, rate) ? ' ' : '*');
    }
    return text;
  };
  const std::vector<Row>&tested_in = ways[0].halves.tested, &tested_out = ways[1].halves.tested;
  for (std::size_t i = 0; i < tested_in.size() && tested_in[i].size <= Bytes{100'000}; ++i)
    fmt::print("{:>10}  {:<25} {}\n", tested_in[i].size.value, cell(tested_in[i], ways[0]),
               cell(tested_out[i], ways[1]));

  for (const OneWay& way : ways) {
    const std::vector<Row> small = between(way.halves.tested, {0}, kSmallestFitted);
    const auto allowed = [&](const Predictor& predicted) {
      return std::ranges::count_if(
          small, [&](const Row& row) { return is_within_rounding(row, rate_of(predicted, row.size)); });
    };
    fmt::print("{}{}: {} of {} rows below 64 kB within the rounding by (c), {} by (d)\n", &way == &ways[0] ? "\n" : "",
               way.name, allowed(way.own_start), small.size(), allowed(way.curve));
  }
}

/// The figures of a log whose lines are a start, a name and a figure, of the names that are wanted.
std::vector<double> figures_of(const std::string& path, const std::string& start,
                               const std::function<bool(const std::string&)>& is_wanted) {
  std::vector<double> figures;
  for (const std::string& line : lines_of(path)) {
    if (!line.starts_with(start)) continue;
    const std::string name = line.substr(start.size(), line.find(' ', start.size()) - start.size());
    const auto figure = number_after(line, name + " ");
    if (figure && is_wanted(name)) figures.push_back(*figure);
  }
  return figures;
}

Platform without_caps(Platform platform) {
  platform.host_link.both.reset();
  if (platform.uplink) platform.uplink->both.reset();
  return platform;
}

constexpr Bytes kSize = 512_MiB;  // the logs don't say; a start is less than a five-hundredth of such a copy

void show_both_ways(const std::string& data, const Platform& a100, const Platform& gh200) {
  const auto in_alone = [](const Platform& platform) { return kSize / simulated(platform, kSize, {}).in; };
  const auto out_alone = [](const Platform& platform) { return kSize / simulated(platform, {}, kSize).out; };
  const auto in_beside_out = [](const Platform& platform) { return kSize / simulated(platform, kSize, kSize).in; };
  const auto out_beside_in = [](const Platform& platform) { return kSize / simulated(platform, kSize, kSize).out; };
  const auto total = [](const Platform& platform) {
    const Ends ends = simulated(platform, kSize, kSize);
    return 2 * kSize / std::max(ends.in, ends.out);
  };
  fmt::print(
      "\nBoth ways: calibration, since the presets' rates and caps come from these logs; GB/s\n\n"
      "{:<31} {:>8} {:>16} {:>10} {:>8}  {}\n",
      "", "figures", "measured", "predicted", "error", "without the cap");
  const auto show = [](const std::string& what, const std::vector<double>& figures, const Platform& platform,
                       const std::function<BytesPerSecond(const Platform&)>& rate) {
    const double predicted = rate(platform).value / 1e9;
    Errors errors;
    for (const double figure : figures) errors.add(predicted, figure);
    const auto [least, most] = std::ranges::minmax(figures);
    fmt::print("{:<31} {:>8} {:>16} {:>10.2f} {:>+7.1f}%  {:.1f}\n", what, figures.size(),
               least == most ? fmt::format("{:.2f}", least) : fmt::format("{:.2f} to {:.2f}", least, most), predicted,
               100 * errors.mean(), rate(without_caps(platform)).value / 1e9);
  };

  const auto copies = [&](const std::string& name_begins) {
    return figures_of(data + "/superbench/gpu_copy_bw_performance.log", "", [&](const std::string& name) {
      return name.starts_with(name_begins) && name.find("cpu") != std::string::npos &&
             name.find("by_dma_under") != std::string::npos;
    });
  };
  const auto joined = [](std::vector<double> a, const std::vector<double>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  };
  const std::vector<double> from_gpus = joined(copies("gpu0_to_cpu"), copies("gpu1_to_cpu"));
  const std::vector<double> both =
      joined(copies("cpu_and_gpu"), joined(copies("gpu0_and_cpu"), copies("gpu1_and_cpu")));
  show("dgx-a100: in alone", copies("cpu_to_gpu"), a100, in_alone);
  show("dgx-a100: out alone", from_gpus, a100, out_alone);
  show("dgx-a100: both, in all", both, a100, total);

  const auto nvbandwidth = [&](const std::vector<std::string>& names) {
    return figures_of(data + "/superbench/nvbandwidth_results.log", "SUM ",
                      [&](const std::string& name) { return std::ranges::find(names, name) != names.end(); });
  };
  show("gh200: in alone", nvbandwidth({"host_to_all_memcpy_ce"}), gh200, in_alone);
  show("gh200: out alone", nvbandwidth({"all_to_host_memcpy_ce"}), gh200, out_alone);
  const std::vector<double> in =
      nvbandwidth({"host_to_device_bidirectional_memcpy_ce", "host_to_all_bidirectional_memcpy_ce"});
  const std::vector<double> out =
      nvbandwidth({"device_to_host_bidirectional_memcpy_ce", "all_to_host_bidirectional_memcpy_ce"});
  show("gh200: in beside out", in, gh200, in_beside_out);
  show("gh200: out beside in", out, gh200, out_beside_in);
  std::vector<double> sums;
  for (std::size_t i = 0; i < std::min(in.size(), out.size()); ++i) sums.push_back(in[i] + out[i]);
  show("gh200: both, in all", sums, gh200, total);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : SPILLWAY_SOURCE "/bench/validation";
  const std::string platforms = argc > 2 ? argv[2] : SPILLWAY_SOURCE "/platforms";
  const auto one_gpu_of = [&](const std::string& preset) {
    return *with_gpus(read_platform(fmt::format("{}/{}.json", platforms, preset)), 1);
  };
  show_one_way(data, one_gpu_of("x86-pcie3-4"));
  show_both_ways(data, one_gpu_of("dgx-a100"), one_gpu_of("gh200"));
}
