// Predicted against measured step, for plans that swap: two networks, three capacities, two links. Each plan is also
// predicted without cache factors, from the ops' times apart.
// usage: fidelity [steps per row, at least 7]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "bench/measure.h"

using namespace spillway;

namespace {

/// As if no step in one go had been measured.
Trace without_cache_factors(Trace trace) {
  for (BatchCosts& costs : trace.batches) {
    for (KernelCost& kernel : costs.kernels) kernel.cache_factor = 1;
  }
  return trace;
}

class Errors {
 public:
  void add(double error) {
    sum_ += std::abs(error);
    worst_ = std::max(worst_, std::abs(error));
    ++count_;
  }
  [[nodiscard]] std::string line() const {
    return fmt::format("mean absolute error {:.1f} %, worst {:.1f} %", 100 * sum_ / count_, 100 * worst_);
  }

 private:
  double sum_ = 0, worst_ = 0;
  int count_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::max(7, std::atoi(argv[1])) : 7;
  Errors errors, errors_apart;
  int rows = 0, stalled = 0;
  for (const BenchNetwork& network : {bench_unet3d(), bench_resnet50()}) {
    const Trace trace = bench_profile(network), apart = without_cache_factors(trace);
    if (rows == 0) {
      fmt::print("{}\nmedians of {} steps; spread: interquartile range over median; error: predicted over measured;\n",
                 machine_line(trace), steps);
      fmt::print("apart: the error without cache factors\n\n");
      fmt::print("{:<8} {:>9} {:>9} {:>10} {:>7} {:>10} {:>7} {:>8} {:>8}\n", "network", "capacity", "link",
                 "predicted", "stall", "measured", "spread", "error", "apart");
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
        const double error_apart = step_times(apart, tuned->schedule, tuned->plan.platform).step / measured.median - 1;
        const double stall = tuned->times.stall / tuned->times.step;
        fmt::print("{:<8} {:>9} {:>9} {:>10} {:>6.1f}% {:>10} {:>6.1f}% {:>+7.1f}% {:>+7.1f}%\n", network.name,
                   capacity, to_text(BytesPerSecond{link}), to_text(tuned->times.step), 100 * stall,
                   to_text(measured.median), 100 * measured.spread, 100 * error, 100 * error_apart);
        std::fflush(stdout);
        errors.add(error);
        errors_apart.add(error_apart);
        stalled += stall >= 0.15 ? 1 : 0;
        ++rows;
      }
    }
  }
  fmt::print("\n{} rows, {} of them with a predicted stall of 15 % or more; {}\nwithout cache factors: {}\n", rows,
             stalled, errors.line(), errors_apart.line());
}
