#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/schedule.h"
#include "core/trace.h"
#include "tuner/tune.h"

namespace spillway {

/// A network at a size that this kind of benchmark uses.
struct BenchNetwork {
  std::string name;
  std::vector<std::string> settings;
  std::int64_t batch = 1;
};

/// About 0.16 TFLOP and 0.03 TFLOP a step, operands larger than caches.
[[nodiscard]] BenchNetwork bench_unet3d();
[[nodiscard]] BenchNetwork bench_resnet50();

/// Profiled on this machine's cpu device; progress on stderr.
[[nodiscard]] Trace bench_profile(const BenchNetwork& network);

/// The traced machine with a link of this rate both ways.
[[nodiscard]] Platform with_link(const Trace& trace, BytesPerSecond rate);

/// The policy's plan at a share of the footprint; empty when it finds none.
[[nodiscard]] std::optional<Tuned> tuned_at(const Trace& trace, const Platform& platform, const std::string& policy,
                                            double share);

/// Steps as executed: the first one, which warms up, doesn't count.
struct MeasuredSteps {
  Seconds median;
  double spread = 0;  ///< interquartile range over the median
  Seconds stall;      ///< of the last step
};
[[nodiscard]] MeasuredSteps measure_steps(const Trace& trace, const Schedule& schedule, int steps);

/// "AMD EPYC, oneDNN 2.6.3 avx512_core, 1 thread, 2026-01-31T12:00:00Z"
[[nodiscard]] std::string machine_line(const Trace& trace);

}  // namespace spillway
