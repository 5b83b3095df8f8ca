// All-reduces that others have measured, against predictions from data sheets, with one fitted efficiency, and with the
// curve known at powers of two. usage: all_reduce [folder of the measurements] [folder of the platforms]
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <sstream>
#include <string>
#include <vector>

#include "bench/validation/measurements.h"
#include "core/io/files.h"
#include "sim/all_reduce_time.h"
#include "sim/machine.h"

using namespace spillway;

namespace {

struct Measured {
  Bytes size;
  Seconds seconds;  // in place
};
using Curve = std::vector<Measured>;

Curve read_vtrain(const std::string& path) {
  Curve curve;
  for (std::string& line : lines_of(path)) {
    std::ranges::replace(line, ',', ' ');
    std::istringstream fields(line);
    std::int64_t size = 0, count = 0;
    std::string type;
    double out_of_place = 0, bandwidth = 0, in_place = 0;
    if (fields >> size >> count >> type >> out_of_place >> bandwidth >> in_place)
      curve.push_back({{size}, {in_place * 1e-9}});
  }
  return curve;
}

Curve read_nccl_tests(const std::string& path) {
  Curve curve;
  for (const std::string& line : lines_of(path)) {
    std::istringstream fields(line);
    std::int64_t size = 0, count = 0;
    std::string type, operation, error;
    double out_of_place = 0, algorithm = 0, bus = 0, in_place = 0;
    if (fields >> size >> count >> type >> operation >> out_of_place >> algorithm >> bus >> error >> in_place &&
        type == "float" && size > 0)
      curve.push_back({{size}, {in_place * 1e-6}});
  }
  return curve;
}

std::string text(const Errors& errors) {
  if (errors.count() == 0) return "-";
  return fmt::format("{:.1f} % ({:+.1f} %)", 100 * errors.mean_absolute(), 100 * errors.worst());
}

/// The platform with every GPU link at a share of its rate.
Platform at_efficiency(Platform platform, double efficiency) {
  platform.gpu_links->rate->value.value *= efficiency;
  return platform;
}

Errors errors_of(const Platform& platform, const Curve& curve) {
  const Machine machine(platform);
  Errors errors;
  for (const Measured& row : curve) errors.add(machine.fastest_all_reduce(row.size).seconds.value, row.seconds.value);
  return errors;
}

/// The efficiency with the least mean absolute error.
double fitted(const Platform& platform, const Curve& curve) {
  double best = 1, least = errors_of(platform, curve).mean_absolute();
  for (double efficiency = 0.5; efficiency <= 1.2; efficiency += 0.002) {
    const double error = errors_of(at_efficiency(platform, efficiency), curve).mean_absolute();
    if (error < least) {
      least = error;
      best = efficiency;
    }
  }
  return best;
}

/// The curve known at powers of two of MiB, the other sizes predicted as from a trace.
Errors interpolated(const Platform& platform, const Curve& curve) {
  Trace trace;
  Platform linked = platform;
  linked.gpu_links.reset();
  AllReduceCurve known{.ranks = platform.ranks(), .points = {}};
  const auto is_known = [](const Measured& row) {
    return std::has_single_bit(static_cast<std::uint64_t>(row.size.value));
  };
  for (const Measured& row : curve) {
    if (is_known(row)) known.points.push_back({row.size, row.seconds});
  }
  trace.all_reduces.push_back(known);
  Errors errors;
  for (const Measured& row : curve) {
    if (!is_known(row)) errors.add(measured_all_reduce(trace, linked, row.size)->value, row.seconds.value);
  }
  return errors;
}

double bus_bandwidth(const Measured& row, std::int64_t ranks) {
  const double n = static_cast<double>(ranks);
  return 2 * (n - 1) / n * static_cast<double>(row.size.value) / row.seconds.value / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : SPILLWAY_SOURCE "/bench/validation";
  const std::string platforms = argc > 2 ? argv[2] : SPILLWAY_SOURCE "/platforms";
  fmt::print(
      "mean absolute error (worst, signed) of predicted all-reduce times, in place\n"
      "(a) data sheets, brick topology, published step latencies; no all-reduce figure\n"
      "(b) one efficiency of the links, fitted on 8 GPUs\n"
      "(c) the curve known at 1, 2, 4 ... 1024 MiB, the sizes between predicted\n\n"
      "{:<12} {:>5} {:>9} {:>9}  {:<18} {:<18} {:<18}\n",
      "platform", "GPUs", "largest", "(a) says", "(a)", "(b)", "(c)");
  for (const auto& [preset, folder] : {std::pair{"dgx1-v100", "v100"}, std::pair{"dgx-a100", "a100"}}) {
    const Platform node = read_platform(fmt::format("{}/{}.json", platforms, preset));
    const auto curve_of = [&](std::int64_t gpus) {
      return read_vtrain(fmt::format("{}/vtrain/trace/{}/AR_GPU{}_1M_1024M_LUT", data, folder, gpus));
    };
    const double efficiency = fitted(node, curve_of(8));
    for (const std::int64_t gpus : {2, 4, 8}) {
      const Platform part = *with_gpus(node, gpus);
      const Curve curve = curve_of(gpus);
      const Measured& largest = curve.back();
      const Measured predicted{largest.size, Machine(part).fastest_all_reduce(largest.size).seconds};
      fmt::print("{:<12} {:>5} {:>9} {:>9}  {:<18} {:<18} {:<18}\n", preset, gpus,
                 fmt::format("{:.0f} GB/s", bus_bandwidth(largest, gpus)),
                 fmt::format("{:.0f} GB/s", bus_bandwidth(predicted, gpus)), text(errors_of(part, curve)),
                 gpus == 8 ? fmt::format("fitted: {:.3f}", efficiency)
                           : text(errors_of(at_efficiency(part, efficiency), curve)),
                 text(interpolated(part, curve)));
    }
  }
  fmt::print("\nlargest: bus bandwidth at 1 GiB, 2(N-1)/N of the bytes by the time: measured, then as (a) predicts\n");

  const Platform node = read_platform(platforms + "/dgx-a100.json");
  const Machine machine(node);
  fmt::print("\nsuperbench, 8 A100 40 GB: what data sheets say below and above 1 MiB\n\n{:>10} {:>12} {:>12} {:>9}\n",
             "size", "measured", "predicted", "error");
  for (const Measured& row : read_nccl_tests(data + "/superbench/nccl_allreduce.log")) {
    if (std::countr_zero(static_cast<std::uint64_t>(row.size.value)) % 3 != 0) continue;  // every third power of two
    const Seconds predicted = machine.fastest_all_reduce(row.size).seconds;
    fmt::print("{:>10} {:>12} {:>12} {:>+8.1f}%\n", to_text(row.size), to_text(row.seconds), to_text(predicted),
               100 * (predicted / row.seconds - 1));
  }
}
