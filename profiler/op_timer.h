#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/op_description.h"
#include "profiler/distinct_ops.h"
#include "profiler/operand_copies.h"
#include "profiler/workbench.h"

namespace spillway {

/// How often an op is run: at least `least`, or `least_of_long` if one run takes longer than `long_op`; then on until
/// its runs add up to `enough`. Runs during which the system took the core away don't count, but there are at most
/// `most` in all, or twice `least_of_long` of a long op.
struct RepeatRule {
  std::int64_t least = 5;
  std::int64_t least_of_long = 3;
  Seconds long_op{0.1};
  Seconds enough{0.02};
  std::int64_t most = 15;
  Seconds load{2};  ///< how long an op that ran throttled runs on end before it is timed again
};
/// The rule for such a device. A GPU's ops run at least seven times.
[[nodiscard]] RepeatRule repeat_rule(const DeviceProperties& properties);

/// What one op took.
struct OpTiming {
  Seconds seconds;    ///< median
  double spread = 0;  ///< interquartile range over the median
  Seconds while_copying;
  BytesPerSecond copy_rate;                 ///< both ways together, reached while `while_copying` was measured
  bool copying_disturbed = false;           ///< no two runs beside copies were undisturbed: `while_copying` says little
  std::int64_t repeats = 0;                 ///< runs that `seconds` is the median of
  std::optional<ClockReading> clocks = {};  ///< during the last run alone; empty: the device doesn't tell
  bool throttled = false;                   ///< power, heat or the like held the clocks down in a run alone
};

/// One run of an op.
struct OpRunTime {
  double seconds = 0;
  double copy_rate = 0;    ///< bytes per second, both ways; 0: it ran alone
  bool disturbed = false;  ///< the op or the copies beside it lost their core to someone else meanwhile
};
/// The runs to believe: the undisturbed ones, or the two fastest where fewer than two are, since a disturbance only
/// ever adds time. A machine that is busy otherwise so costs patience, not truth.
[[nodiscard]] std::vector<OpRunTime> credible(std::vector<OpRunTime> runs);

/// Times prepared kernels one at a time: alone, and beside copies both ways. On a GPU consecutive runs use other copies
/// of the operands where the bench's arena has room, and an op that ran throttled is timed once more under load.
class OpTimer {
 public:
  /// `copy_rate`: what the link carries both ways together.
  OpTimer(Workbench& bench, BytesPerSecond copy_rate, RepeatRule rule);

  /// Requires: the bench's arena has room for `places`.
  [[nodiscard]] OpTiming time(const OpDescription& op, KernelId kernel, const OperandPlaces& places);
  /// The median of a few runs alone; of the first only if that takes more than `give_up`. Requires: as for `time`.
  [[nodiscard]] Seconds try_out(const OpDescription& op, KernelId kernel, const OperandPlaces& places, Seconds give_up);
  /// After an error: waits for what still runs. Throws when the device is lost.
  void recover() { bench_.recover(); }

 private:
  [[nodiscard]] OpTiming measure(OperandCopies& operands);
  /// Some runs, which nothing holds back, with one flush before them; returns when they have completed.
  void run_unheld(OperandCopies& operands, int runs);
  void enqueue_timed(OperandCopies& operands, std::uint64_t value);
  [[nodiscard]] OpRunTime run_alone(OperandCopies& operands);
  [[nodiscard]] OpRunTime run_beside_copies(OperandCopies& operands, Seconds expected);
  [[nodiscard]] OpRunTime run_time() const;
  void note_clocks();

  Workbench& bench_;
  BytesPerSecond copy_rate_;
  RepeatRule rule_;
  bool on_host_;
  EventId begun_, ended_, flushed_;
  struct Way {
    EventId started, ended;
  };
  Way in_, out_;
  long switches_before_ = 0, switches_after_ = 0;  // of the thread that runs the op, on the host
  std::optional<ClockReading> clocks_;             // of the measurement that goes on
  bool throttled_ = false;
};

}  // namespace spillway
