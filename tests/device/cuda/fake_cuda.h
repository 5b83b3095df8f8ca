#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

// A CUDA runtime without a GPU: the calls of cuda_runtime_api.h that the CUDA device makes, on threads of the host,
// linked in place of cudart. It is there to refuse what CUDA refuses, and to let ThreadSanitizer see what a GPU would
// not tell: a wait that is missing.
//
// What orders what is what CUDA documents, and nothing else: a stream's commands among themselves, all that the host
// did before a call behind which the work is, a recorded event and who waits for it, the host behind what it
// synchronised with, the edges of a graph, a graph behind what was in its stream and behind its own last launch.
//
// Where CUDA's documents leave a case open, or call it undefined, the fake refuses it. Beyond what they say it refuses:
//  - the default stream, cudaErrorInvalidResourceHandle: the device has its own streams, so 0 is a forgotten one;
//  - asynchronous copies of host memory that isn't registered, cudaErrorInvalidValue: CUDA makes them slow, in silence;
//  - external waits in a capture, cudaErrorNotSupported, and launches of graphs into one,
//    cudaErrorStreamCaptureUnsupported;
//  - destroyed handles of any kind: they are never given out again.
// Asynchronous work that fails does so for all GPUs together, not only for its own.

namespace spillway {

/// The GPUs there are: one, or several that are alike.
struct FakeDevice {
  int count = 1;
  std::string name = "Fake GPU";
  std::size_t memory = std::size_t{1} << 30;
  int multiprocessors = 108;
  int major = 8, minor = 0;  ///< compute capability
  std::size_t l2 = std::size_t{4} << 20;
};

/// How a test sets the fake up, makes it fail and looks at it.
struct FakeCuda {
  /// As at the start: waits for all work, frees and forgets everything, settings and failures included. Every test
  /// begins with it. Requires: no other thread is in a call.
  static void reset();

  /// Ends the threads and frees the memory that destroyed handles still have; their handles stay unknown. Requires: no
  /// other thread is in a call, no stream has work.
  static void forget_destroyed();

  /// Requires: no device memory is allocated. Several GPUs have memory, streams and events of their own each; GPU n has
  /// bus number n and a UUID that ends in n.
  static void set_device(const FakeDevice& device);
  /// As on a machine without a driver: every call returns cudaErrorInsufficientDriver and writes nothing, except the
  /// versions: the runtime's is known, the driver's is 0.
  static void no_driver(bool missing);
  /// Chooses the orders in which graphs run.
  static void seed(std::uint64_t seed);

  /// The `nth` call of `name` from now on, counted from 1, returns `error`. It has no effect, unless it is one that
  /// gives something back (free, unregister, destroy, end of capture): that is given back all the same, as it is when
  /// CUDA returns the error of earlier asynchronous work from such a call. An ended capture gives no graph then.
  static void fail(const std::string& name, std::uint64_t nth, cudaError_t error);
  /// The same for the `nth` call from now on, whichever it is.
  static void fail_nth_call(std::uint64_t nth, cudaError_t error);
  /// The call that was made to fail; empty: none yet.
  static std::string failed_call();
  /// Calls since the last reset, all or by name. Launches count, as "fake_cuda_launch"; what reads errors
  /// (cudaGetLastError and its like) doesn't.
  static std::uint64_t calls();
  static std::uint64_t calls(const std::string& name);

  /// What is still alive, a line each: "event made by call 12", "device memory of 4096 bytes made by call 3".
  static std::vector<std::string> leaks();
  /// The name given to the launch that became this node; for other nodes "copy", "set", "host function", "record".
  static std::string node_name(cudaGraphNode_t node);
  /// From which node to which each edge of a graph goes. For the call that CUDA has, cudaGraphGetEdges, versions 12 and
  /// 13 differ. Requires: the graph isn't destroyed.
  static std::vector<std::pair<cudaGraphNode_t, cudaGraphNode_t>> edges(cudaGraph_t graph);
  /// The graph that was captured last; null if it is destroyed or there is none.
  static cudaGraph_t last_graph();
};

/// A kernel's launch. As `<<<>>>` it returns nothing: what is wrong is what cudaGetLastError() then says. `work` runs
/// on a thread of the stream, or on one of the graph that it is captured into, each time that one is launched. If it
/// throws, this and every later call returns cudaErrorLaunchFailure, later work is skipped, and only what gives back or
/// waits still does so.
void fake_cuda_launch(cudaStream_t stream, std::function<void()> work, std::string name);

}  // namespace spillway
