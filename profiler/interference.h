#pragma once

#include <vector>

#include "core/units.h"
#include "profiler/op_timer.h"

namespace spillway {

/// What copies do to ops in general.
struct Interference {
  BytesPerSecond rate;  ///< of the whole trace
  double slowdown = 0;  ///< typical share by which an op is slower at that rate
};

/// `link`: what it carries both ways together, for a trace without an op that saw copies.
[[nodiscard]] Interference interference_of(const std::vector<OpTiming>& timings, BytesPerSecond link);

/// By which share the op is slower while copies cross the link at `rate`: in proportion from the rate that it saw.
///
/// A device without a link rate is measured at full speed, since only that shows through the noise: a 3D convolution
/// of 16 channels on one core of two was 5.3 % slower at 13.5 GB/s both ways together, 0.9 % at 6 GB/s, and no slower
/// than its spread of 1 % at 1.7 and at 0.3 GB/s. In proportion from full speed that makes 0.7 % and 0.1 %: for the
/// links that are simulated the error is below what could be measured there.
[[nodiscard]] double slowdown_at(BytesPerSecond rate, const OpTiming& timing);

}  // namespace spillway
