#pragma once

#include <cstdint>
#include <vector>

#include "core/graph.h"

namespace spillway {

/// One run of an op on the compute stream; run 0 is the step's own, run 1 the first recomputation.
struct OpRun {
  OpId op;
  std::uint32_t run = 0;
  std::vector<BufferId> scratch;  ///< outputs that nobody wants from this run: they go to bytes of this single position
  friend bool operator==(const OpRun&, const OpRun&) = default;
};

/// "Run `op` once more, right before run `before_run` of op `before`, and keep what it writes to `kept`."
struct Recompute {
  OpId op;
  OpId before;
  std::uint32_t before_run = 0;
  std::vector<BufferId> kept;
  friend bool operator==(const Recompute&, const Recompute&) = default;
};

/// The compute stream: the step's ops in issue order with the recomputations inserted, in the order listed.
/// Throws Error (exit 2) when a recomputation names a run that isn't there or a buffer that its op doesn't write.
[[nodiscard]] IdVector<Position, OpRun> compute_stream(const Graph& graph, const std::vector<Recompute>& recomputes);

/// A position at which a buffer is read or written.
struct Use {
  Position position;
  bool reads = false;
  bool writes = false;
  /// A write that doesn't read what was there: the value before it is dead.
  [[nodiscard]] bool fresh() const { return writes && !reads; }
  friend bool operator==(const Use&, const Use&) = default;
};

/// All uses of each buffer in order. Scratch outputs of recomputations aren't uses.
[[nodiscard]] IdVector<BufferId, std::vector<Use>> uses(const Graph& graph, const IdVector<Position, OpRun>& stream,
                                                        std::int64_t batch);

/// The stay between two consecutive uses. `after` is invalid for an input's first gap (it begins the step in the host
/// pool), `before` is invalid for a loss's last gap (it ends there). For lasting buffers the gap after the last use
/// wraps around the step's end to the first.
struct Gap {
  BufferId buffer;
  Position after;   ///< the use before the gap
  Position before;  ///< the use behind the gap
  bool wraps = false;
  friend auto operator<=>(const Gap&, const Gap&) = default;
};

/// The gaps of each buffer in order of `after` (an input's first gap comes first). A gap whose next use is fresh isn't
/// one: the value is dead. A gap without a position between its uses isn't listed either, unless it wraps: nothing can
/// be gained there.
[[nodiscard]] std::vector<Gap> gaps(const Graph& graph, const IdVector<BufferId, std::vector<Use>>& uses,
                                    std::size_t positions);

/// For each input the position at which it comes to the arena unless a swap says otherwise: the step's start; a later
/// micro-batch's with the first op of the micro-batch before, so that its copy has a whole pass to hide behind. Of
/// other buffers the first position, without meaning. `uses` are those of the graph's stream.
[[nodiscard]] IdVector<BufferId, Position> arrivals(const Graph& graph,
                                                    const IdVector<BufferId, std::vector<Use>>& uses);

}  // namespace spillway
