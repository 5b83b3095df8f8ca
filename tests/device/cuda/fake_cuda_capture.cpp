#include "tests/device/cuda/fake_cuda_capture.h"

#include <algorithm>
#include <utility>

namespace spillway {

void append(FakeNode node, cudaStream_t stream, FakeCapturePoint& point) {
  FakeCapture& capture = *point.capture;
  node.behind = std::exchange(point.behind, {capture.nodes.size()});
  capture.nodes.push_back(std::move(node));
  point.progress[stream] = ++capture.progress[stream];
}

cudaError_t join(cudaStream_t stream, FakeCapturePoint& point, const FakeCapturePoint& event) {
  if (point.capture == nullptr) {
    if (event.capture->ended) return cudaErrorCapturedEvent;
    if (event.capture->invalidated) return cudaErrorInvalidValue;
    point = event;
    point.progress[stream] = ++point.capture->progress[stream];
    return cudaSuccess;
  }
  if (point.capture->invalidated) return cudaErrorStreamCaptureInvalidated;
  if (event.capture == nullptr) {
    point.capture->invalidated = true;
    return cudaErrorStreamCaptureIsolation;
  }
  if (point.capture != event.capture) {
    point.capture->invalidated = event.capture->invalidated = true;
    return cudaErrorStreamCaptureMerge;
  }
  for (const std::size_t node : event.behind) {
    if (std::ranges::find(point.behind, node) == point.behind.end()) point.behind.push_back(node);
  }
  for (const auto& [other, progress] : event.progress)
    point.progress[other] = std::max(point.progress[other], progress);
  return cudaSuccess;
}

bool joined(const FakeCapturePoint& origin) {
  return std::ranges::all_of(origin.capture->progress, [&](const auto& stream) {
    const auto reached = origin.progress.find(stream.first);
    return reached != origin.progress.end() && reached->second >= stream.second;
  });
}

std::vector<FakeCapture*> captures_against_unsafe_calls(const std::vector<std::shared_ptr<FakeCapture>>& captures,
                                                        cudaStreamCaptureMode mode) {
  std::vector<FakeCapture*> against;
  if (mode == cudaStreamCaptureModeRelaxed) return against;
  for (const std::shared_ptr<FakeCapture>& capture : captures) {
    const bool own = capture->thread == std::this_thread::get_id();
    const bool forbids = own ? capture->mode != cudaStreamCaptureModeRelaxed
                             : mode == cudaStreamCaptureModeGlobal && capture->mode == cudaStreamCaptureModeGlobal;
    if (forbids) against.push_back(capture.get());
  }
  return against;
}

}  // namespace spillway
