#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "tests/device/cuda/fake_cuda_graph.h"

namespace spillway {

/// A capture from its begin to its end.
struct FakeCapture {
  cudaStream_t origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread;  ///< that began it
  bool invalidated = false, ended = false;
  std::vector<FakeNode> nodes;
  /// For each stream in it: how often it was taken in or got a node.
  std::map<cudaStream_t, std::size_t> progress;
};

/// How far a capturing stream has come, or had come when an event was recorded in it.
struct FakeCapturePoint {
  std::shared_ptr<FakeCapture> capture;          ///< null: no capture
  std::vector<std::size_t> behind;               ///< the nodes that the next one will be behind
  std::map<cudaStream_t, std::size_t> progress;  ///< of each stream, all of which is before this point
};

/// Appends a node to what `stream`, which is at `point`, has captured.
void append(FakeNode node, cudaStream_t stream, FakeCapturePoint& point);

/// Makes `stream`, which is at `point`, wait for what is before `event`, the point at which an event was recorded. A
/// stream outside of any capture is taken into the event's (a fork).
/// Rules, from the documents: a wait of a capturing stream for work outside of its capture crosses the capture's
/// boundary, cudaErrorStreamCaptureIsolation; one for another capture would merge them, cudaErrorStreamCaptureMerge,
/// and invalidates both; one of a stream that isn't capturing for a capture that has ended waits for something that
/// never ran, cudaErrorCapturedEvent. Not documented: for an invalidated capture, cudaErrorInvalidValue; a capturing
/// stream's wait for an event that was never recorded counts as crossing the boundary, the stricter of two readings.
[[nodiscard]] cudaError_t join(cudaStream_t stream, FakeCapturePoint& point, const FakeCapturePoint& event);

/// Whether every other stream's captured work is before this point of the origin's: what cudaStreamEndCapture demands.
[[nodiscard]] bool joined(const FakeCapturePoint& origin);

/// The captures that forbid the calling thread, whose mode is `mode`, a call that a capture can't see, such as
/// cudaMalloc: the thread's own, unless they are relaxed, and global ones of other threads if its mode is global too. A
/// relaxed thread is forbidden nothing.
[[nodiscard]] std::vector<FakeCapture*> captures_against_unsafe_calls(
    const std::vector<std::shared_ptr<FakeCapture>>& captures, cudaStreamCaptureMode mode);

}  // namespace spillway
