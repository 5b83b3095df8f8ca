#pragma once

#include <cstdint>
#include <vector>

#include "core/op_description.h"
#include "profiler/distinct_ops.h"
#include "profiler/workbench.h"

namespace spillway {

/// How often an op is run: at least `least`, or `least_of_long` if one run takes longer than `long_op`; then on until
/// its runs add up to `enough` or there are `most`.
struct RepeatRule {
  std::int64_t least = 5;
  std::int64_t least_of_long = 3;
  Seconds long_op{0.1};
  Seconds enough{0.02};
  std::int64_t most = 15;
};

/// What one op took.
struct OpTiming {
  Seconds seconds;    ///< median
  double spread = 0;  ///< interquartile range over the median
  Seconds while_copying;
  BytesPerSecond copy_rate;  ///< both ways together, reached while `while_copying` was measured
  std::int64_t repeats = 0;
};

/// Times prepared kernels one at a time: alone, and beside copies both ways.
class OpTimer {
 public:
  /// `copy_rate`: what the link carries both ways together.
  OpTimer(Workbench& bench, BytesPerSecond copy_rate, RepeatRule rule);

  /// Requires: the bench's arena has room for `places`.
  [[nodiscard]] OpTiming time(const OpDescription& op, KernelId kernel, const OperandPlaces& places);

 private:
  struct Run {
    KernelId kernel;
    std::vector<Bytes> inputs, outputs;
    Bytes workspace;
  };
  struct BesideCopies {
    Seconds seconds;
    BytesPerSecond rate;
  };
  void fill(const OpDescription& op, const Run& run, bool only_overwritten);
  Seconds run_alone(const Run& run);
  BesideCopies run_beside_copies(const Run& run, Seconds expected);

  Workbench& bench_;
  BytesPerSecond copy_rate_;
  RepeatRule rule_;
  EventId begun_, ended_, flushed_;
  struct Way {
    EventId started, ended;
  };
  Way in_, out_;
};

}  // namespace spillway
