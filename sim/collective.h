#pragma once

#include <string>
#include <vector>

#include "core/trace.h"
#include "sim/topology.h"

namespace spillway {

/// One way to all-reduce, in stages one after the other. In a stage all ranks wait `start`, then each rank's flow
/// carries `bytes_per_byte` for each byte that is reduced; the next stage begins when the last flow has ended.
struct CollectiveStage {
  Seconds start;
  double bytes_per_byte = 0;  ///< 0: nothing but the start
  std::vector<Route> routes;  ///< by the rank that sends
};

struct Collective {
  std::string name;  ///< `ring`, `hierarchical 4x2`, `tree`
  std::vector<CollectiveStage> stages;
};

/// The ways to all-reduce over all ranks of the platform; none for one rank. Adds resources to `topology`: a ring over
/// bricks has the rate of all edge-disjoint rings together.
///
/// ring: 2(N-1) steps, 2(N-1)/N of the bytes over each rank's link to the next. hierarchical X x Y: reduce-scatter and
/// all-gather within a node, (X-1) steps and (X-1)/X of the bytes each, in between a ring of the ranks with equal GPU
/// over the nodes on 1/X of the bytes: DDL's dimensions (arXiv 1811.12174). tree: 2 log2 N steps, all bytes up and down
/// over each rank's ring link.
[[nodiscard]] std::vector<Collective> all_reduces(Topology& topology);

/// The most edge-disjoint rings through the GPUs 0..gpus-1 of a node, one brick for each hop. Two GPUs make a ring of
/// every brick. 0: bricks make no ring.
[[nodiscard]] std::int64_t brick_rings(const GpuLinks& links, std::int64_t gpus);

}  // namespace spillway
