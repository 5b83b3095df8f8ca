#pragma once

#include <optional>
#include <vector>

#include "tuner/tflms_graph.h"

namespace spillway {

/// The knobs of TFLMS v2. Distances are in levels.
struct TflmsKnobs {
  std::int64_t swapout_threshold = 1;  ///< a tensor leaves for every consumer farther away than this
  std::int64_t swapin_ahead = 1;       ///< how far before its reader a swap-in is triggered
  std::int64_t swapin_groupby = 0;     ///< far consumers at most so far apart share one swap-in
  int sync_mode = 0;                   ///< synchronous are: 0 none, 1 swap-outs, 2 swap-ins, 3 both
  friend bool operator==(const TflmsKnobs&, const TflmsKnobs&) = default;

  [[nodiscard]] bool swaps_out_synchronously() const { return sync_mode == 1 || sync_mode == 3; }
  [[nodiscard]] bool swaps_in_synchronously() const { return sync_mode == 2 || sync_mode == 3; }
};

/// Far consumers that share one swap-in.
struct TflmsGroup {
  std::vector<OpId> readers;    ///< by level, then in issue order; the first is the earliest
  std::optional<OpId> trigger;  ///< absent: the swap-in is synchronous, at the earliest reader
};

/// What the knobs make of one tensor.
struct TflmsSwaps {
  std::vector<OpId> near;  ///< consumers that read the tensor where it was made
  std::vector<TflmsGroup> groups;
};

/// Splits the consumers of a tensor into near ones and groups. Tensors that may not be swapped have near ones only.
[[nodiscard]] TflmsSwaps split_consumers(const TflmsGraph& graph, const TflmsTensor& tensor, const TflmsKnobs& knobs);

/// What TFLMS's replay of a step finds.
struct TflmsReplay {
  bool passes = false;  ///< every allocation found more free bytes than it needs
  Bytes peak;           ///< most bytes allocated at any time, without a limit
  OpId peak_at;
};

/// Replays the memory of a step by levels with reference counts, as TFLMS v2's auto-tuner does: it knows no workspaces,
/// no variables, no durations, and a copy that leaves takes no memory longer than the consumers near it. Absent knobs:
/// without swapping.
[[nodiscard]] TflmsReplay replay(const TflmsGraph& graph, const std::optional<TflmsKnobs>& knobs, Bytes budget);

}  // namespace spillway
