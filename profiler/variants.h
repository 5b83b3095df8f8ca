#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/graph.h"
#include "device/device.h"
#include "profiler/distinct_ops.h"

namespace spillway {

/// A kernel that can run a distinct op, and where its operands lie then.
struct Candidate {
  KernelOption option;
  OperandPlaces places;
  KernelId kernel;  ///< as the device prepared it; invalid until then
};

/// A network in one layout with the ways to run its ops.
struct Variant {
  Graph graph;  ///< in that layout
  std::vector<std::int64_t> batches;
  DistinctOps distinct;
  std::vector<std::vector<Candidate>> candidates;  ///< by distinct op, never empty, the device's best first
};

/// The network in each layout that this device has kernels for, its own layout first; only in that one where no op
/// depends on it. Accumulations go into `distinct` too. Where ops run on the host's cores the device's first kernel is
/// its best one; of a GPU the first few are candidates, since their order is a heuristic's guess. Kernels whose
/// operands and workspace exceed the device's memory are left out.
///
/// `layout`: only this one. Throws Error (exit 3) naming the op, and its bytes where none of its kernels fits.
[[nodiscard]] std::vector<Variant> variants_of(Device& device, const Graph& graph,
                                               const std::vector<std::int64_t>& batches, std::optional<Layout> layout,
                                               std::size_t most);

/// "op 'conv1' at batch 4"
[[nodiscard]] std::string named(const DistinctOp& op);

}  // namespace spillway
