#pragma once

#include <cstdint>
#include <vector>

#include "core/compute_stream.h"
#include "sim/machine.h"
#include "tuner/tune.h"

namespace spillway {

/// What the user's constraints say about a gap.
enum class Asked { nothing, keep, swap };

/// A gap with what a policy wants to know of it. Positions here are plain numbers that count on beyond the step's end,
/// so that the gap's inner positions are `after` + 1 to `before` - 1 without a case distinction; modulo the step they
/// are positions.
struct Stretch {
  Gap gap;
  std::int64_t after = 0;   ///< before its arrival for an input's first gap: -1 with one micro-batch
  std::int64_t before = 0;  ///< beyond the step's end in a wrap gap; after + 1 for a loss's last gap
  Bytes bytes;              ///< aligned size of the buffer
  Asked asked = Asked::nothing;
  bool lasting = false;      ///< a parameter, optimizer state or state
  bool can_be_away = false;  ///< there is an inner position to be gone at

  [[nodiscard]] std::int64_t distance() const { return before - after; }
  [[nodiscard]] bool comes_back() const { return gap.before.valid(); }
  [[nodiscard]] bool was_there() const { return gap.after.valid(); }
};

/// A swap of a Stretch, in its numbers: after <= release < begin <= before.
struct Away {
  std::size_t stretch = 0;
  std::int64_t release = 0, begin = 0;
};

/// A request, and what follows from it before anything is decided. Its trace is the planned step already. Plans have no
/// recomputations here, so positions are ops.
class Problem {
 public:
  /// Throws Error (exit 2) as `tune` does for batch and constraints.
  explicit Problem(const TuneRequest& request);

  [[nodiscard]] const TuneRequest& request() const { return request_; }
  [[nodiscard]] const Trace& trace() const { return *request_.trace; }
  [[nodiscard]] const Graph& graph() const { return request_.trace->graph; }
  [[nodiscard]] const Machine& machine() const { return machine_; }
  [[nodiscard]] Bytes capacity() const { return request_.capacity; }
  [[nodiscard]] Bytes alignment() const { return alignment_; }
  [[nodiscard]] std::int64_t positions() const { return static_cast<std::int64_t>(kept_.size()); }
  [[nodiscard]] const IdVector<BufferId, std::vector<Use>>& uses() const { return uses_; }
  [[nodiscard]] const std::vector<Stretch>& stretches() const { return stretches_; }
  [[nodiscard]] Asked asked(BufferId buffer) const { return asked_[buffer]; }
  /// The stretches that the user wants swapped.
  [[nodiscard]] const std::vector<std::size_t>& asked_swaps() const { return asked_swaps_; }

  /// Live bytes by position when every gap is kept.
  [[nodiscard]] const std::vector<Bytes>& kept_bytes() const { return kept_; }
  /// The time at which the op at `position` ends when nothing ever waits. `position` may lie beyond the step's end.
  [[nodiscard]] Seconds end_time(std::int64_t position) const;

  /// The most bytes live at any position under these decisions: what lowering will find.
  [[nodiscard]] Bytes peak(const std::vector<Away>& aways) const;
  [[nodiscard]] Swap swap(const Away& away, SwapMode mode) const;
  [[nodiscard]] std::vector<Swap> prefetching(const std::vector<Away>& aways) const;

  /// The plan with these decisions, without prediction.
  [[nodiscard]] Plan plan(std::vector<Swap> swaps, std::map<std::string, std::string> knobs) const;

 private:
  void read_constraints();
  void find_stretches();
  void add_kept_bytes(const BatchCosts& costs);

  const TuneRequest& request_;
  Machine machine_;
  Bytes alignment_;
  IdVector<BufferId, std::vector<Use>> uses_;
  IdVector<BufferId, Asked> asked_;
  std::vector<Stretch> stretches_;
  std::vector<std::size_t> asked_swaps_;
  std::vector<Bytes> kept_;
  std::vector<Seconds> end_times_;
};

/// Adds `size` (negative: takes it off) to the positions from `first` to `last`, both included, modulo the step.
void add_bytes(std::vector<Bytes>& live, std::int64_t first, std::int64_t last, Bytes size);

}  // namespace spillway
