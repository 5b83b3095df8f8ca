// Predicted against measured step, for plans that swap: two networks, three capacities, two links.
// usage: fidelity [steps per row, at least 7]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "bench/measure.h"

using namespace spillway;

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::max(7, std::atoi(argv[1])) : 7;
  double sum = 0, worst = 0;
  int rows = 0, stalled = 0;
  for (const BenchNetwork& network : {bench_unet3d(), bench_resnet50()}) {
    const Trace trace = bench_profile(network);
    if (rows == 0) {
      fmt::print("{}\nmedians of {} steps; spread: interquartile range over median; error: predicted over measured\n\n",
                 machine_line(trace), steps);
      fmt::print("{:<8} {:>9} {:>9} {:>10} {:>7} {:>10} {:>7} {:>8}\n", "network", "capacity", "link", "predicted",
                 "stall", "measured", "spread", "error");
    }
    for (const double link : {0.25e9, 1e9}) {
      for (const double share : {1.0, 0.6, 0.45}) {
        const std::optional<Tuned> tuned = tuned_at(trace, with_link(trace, {link}), "threshold", share);
        const std::string capacity = fmt::format("{:.0f} %", 100 * share);
        if (!tuned) {
          fmt::print("{:<8} {:>9} {:>9} no plan\n", network.name, capacity, to_text(BytesPerSecond{link}));
          continue;
        }
        const MeasuredSteps measured = measure_steps(trace, tuned->schedule, steps);
        const double error = tuned->times.step / measured.median - 1;
        const double stall = tuned->times.stall / tuned->times.step;
        fmt::print("{:<8} {:>9} {:>9} {:>10} {:>6.1f}% {:>10} {:>6.1f}% {:>+7.1f}%\n", network.name, capacity,
                   to_text(BytesPerSecond{link}), to_text(tuned->times.step), 100 * stall, to_text(measured.median),
                   100 * measured.spread, 100 * error);
        std::fflush(stdout);
        sum += std::abs(error);
        worst = std::max(worst, std::abs(error));
        stalled += stall >= 0.15 ? 1 : 0;
        ++rows;
      }
    }
  }
  fmt::print(
      "\n{} rows, {} of them with a predicted stall of 15 % or more; mean absolute error {:.1f} %, worst {:.1f} %\n",
      rows, stalled, 100 * sum / rows, 100 * worst);
}
