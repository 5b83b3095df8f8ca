#pragma once

#include <cstddef>
#include <vector>

#include "core/op_description.h"
#include "profiler/distinct_ops.h"
#include "profiler/workbench.h"

namespace spillway {

/// Fills an operand with what ops can take: random numbers around 1, never zeros, labels and counters; bytes with
/// `choice`. Returns when they are there.
void fill_operand(Workbench& bench, Bytes at, const OperandDescription& operand, std::byte choice = {});

/// One op ready to run on a bench: its operands in the arena, as often as there is room for and is wanted, so that
/// consecutive runs find theirs at other addresses.
class OperandCopies {
 public:
  /// `most`: copies wanted, at least 1; there is always one. The operands hold nothing yet.
  /// Requires: the bench's arena has room for `places`; bench and op outlive this.
  OperandCopies(Workbench& bench, const OpDescription& op, KernelId kernel, const OperandPlaces& places,
                std::size_t most);

  /// Fills every operand with what the op can take: random numbers around 1, never zeros, and valid choices.
  void fill() { fill(false); }
  /// The same for what runs overwrite in place.
  void refill_overwritten() { fill(true); }

  /// Enqueues one run to the compute stream, on the next copy.
  void enqueue_run();

 private:
  struct Copy {
    std::vector<Bytes> inputs, outputs;
    Bytes workspace;
  };
  void fill(bool only_overwritten);

  Workbench& bench_;
  const OpDescription& op_;
  KernelId kernel_;
  std::vector<Copy> copies_;
  std::size_t next_ = 0;
};

}  // namespace spillway
