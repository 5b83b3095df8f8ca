// Policies against each other at equal capacity: predicted step by the same simulator, measured step beside it.
// usage: policies [measured steps per row, 0: predictions only]
#include <fmt/format.h>

#include <cstdlib>

#include "bench/measure.h"

using namespace spillway;

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 3;
  bool heading = true, never_slower = true, fits_wherever = true;
  for (const BenchNetwork& network : {bench_unet3d(), bench_resnet50()}) {
    const Trace trace = bench_profile(network);
    if (heading) {
      fmt::print("{}\npredicted step (measured, median of {}); -: the policy finds no plan\n\n", machine_line(trace),
                 steps);
      fmt::print("{:<8} {:>9} {:>9}  {:<22} {:<22} {:<22}\n", "network", "capacity", "link", "swap-all", "tflms",
                 "threshold");
      heading = false;
    }
    for (const double link : {0.25e9, 1e9}) {
      for (const double share : {1.0, 0.8, 0.6, 0.45}) {
        const Platform platform = with_link(trace, {link});
        fmt::print("{:<8} {:>9} {:>9} ", network.name, fmt::format("{:.0f} %", 100 * share),
                   to_text(BytesPerSecond{link}));
        std::optional<Seconds> tflms;
        for (const char* policy : {"swap-all", "tflms", "threshold"}) {
          const std::optional<Tuned> tuned = tuned_at(trace, platform, policy, share);
          std::string cell = "-";
          if (tuned) {
            cell = to_text(tuned->times.step);
            if (steps > 0) cell += fmt::format(" ({})", to_text(measure_steps(trace, tuned->schedule, steps).median));
          }
          fmt::print(" {:<22}", cell);
          std::fflush(stdout);
          if (policy == std::string("tflms") && tuned) tflms = tuned->times.step;
          if (policy == std::string("threshold") && tflms) {
            fits_wherever &= tuned.has_value();
            never_slower &= tuned && tuned->times.step <= *tflms;
          }
        }
        fmt::print("\n");
      }
    }
  }
  fmt::print("\nthreshold fits wherever tflms fits: {}; never slower than it as predicted: {}\n",
             fits_wherever ? "yes" : "NO", never_slower ? "yes" : "NO");
}
