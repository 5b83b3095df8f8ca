#pragma once

#include <optional>
#include <vector>

#include "tuner/tune.h"

namespace spillway {

/// What one profiled batch gives at the request's capacity.
struct BatchPoint {
  std::int64_t batch = 0;
  bool fits = false;
  Bytes footprint;  ///< arena bytes when everything is kept
  Seconds step;     ///< these three only if it fits
  double samples_per_second = 0;
  Bytes arena;
  std::optional<Bytes> smallest_capacity;  ///< only if it doesn't: what would do
};

/// Step time and throughput over the profiled batches.
struct BatchCurve {
  std::vector<BatchPoint> points;      ///< ascending batch
  std::optional<std::size_t> largest;  ///< index of the largest batch that fits
  std::optional<std::size_t> fastest;  ///< index of that with the most samples per second; of equals the smallest
  /// The fastest one's plan; where no batch fits, the smallest one's answer.
  std::variant<Tuned, NothingFits> result;
};

/// Tunes every profiled batch; the request's own batch is ignored. Throws Error (exit 2) like `tune`, and when the
/// trace has no batch.
[[nodiscard]] BatchCurve tune_batches(const TuneRequest& request);

}  // namespace spillway
