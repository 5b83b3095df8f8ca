#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/device/cuda/fake_cuda_memory.h"
#include "tests/device/cuda/fake_cuda_stream.h"

namespace spillway {

/// Something that a stream can do, or a graph.
struct FakeNode {
  struct Touched {
    const void* memory;
    std::size_t size;
    FakeMemory::Where where;
  };

  cudaGraphNodeType type = cudaGraphNodeTypeKernel;
  std::string name;
  std::function<void()> work;       ///< empty for a record
  std::vector<Touched> touched;     ///< by a copy or a set: must still be there when a graph is launched
  cudaEvent_t recorded = nullptr;   ///< by a record
  std::vector<std::size_t> behind;  ///< the nodes before it; each has a lower index
};

/// One launch of a graph.
struct FakeLaunch {
  const std::vector<FakeNode>& nodes;
  /// Nodes that are in order anyway; every node is in one chain. See chains_of().
  const std::vector<std::vector<std::size_t>>& chains;
  std::vector<FakeCompletion*> records;  ///< for each node; null but for records
  std::uint64_t seed;
  std::atomic<bool>& failed;
};

/// Splits the nodes into chains: in each, a node is behind the one before it by an edge of its own.
[[nodiscard]] std::vector<std::vector<std::size_t>> chains_of(const std::vector<FakeNode>& nodes);

/// Runs all nodes, on a thread for each chain, and returns when they have completed. Edges order nodes and nothing else
/// does, in ThreadSanitizer's eyes either: threads are those of chains, so that a thread's own order is one of edges.
/// The order in time is drawn from the seed among those that the edges allow, with one node, two or all at once: so a
/// missing edge shows in results too, not only to ThreadSanitizer.
void run(const FakeLaunch& launch);

}  // namespace spillway
