#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "tests/device/cuda/fake_cuda.h"

namespace spillway {

/// Short ways to what the tests of the fake need of it. Everything is forgotten before and after each test.
class FakeCudaTest : public testing::Test {
 protected:
  FakeCudaTest() { FakeCuda::reset(); }
  ~FakeCudaTest() override { FakeCuda::reset(); }

  static cudaStream_t new_stream() {
    cudaStream_t stream = nullptr;
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
    return stream;
  }
  static cudaEvent_t new_event(unsigned flags = cudaEventDefault) {
    cudaEvent_t event = nullptr;
    EXPECT_EQ(cudaEventCreateWithFlags(&event, flags), cudaSuccess);
    return event;
  }
  template <class Element = char>
  static Element* new_memory(std::size_t count) {
    void* memory = nullptr;
    EXPECT_EQ(cudaMalloc(&memory, count * sizeof(Element)), cudaSuccess);
    return static_cast<Element*>(memory);
  }
  static void launch(cudaStream_t stream, std::function<void()> work, std::string name = "work") {
    static_cast<void>(cudaGetLastError());  // of a call that was meant to fail
    fake_cuda_launch(stream, std::move(work), std::move(name));
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  }
  /// `later` waits for what is in `earlier` now.
  static void order(cudaStream_t earlier, cudaStream_t later) {
    const cudaEvent_t event = new_event(cudaEventDisableTiming);
    EXPECT_EQ(cudaEventRecord(event, earlier), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(later, event, 0), cudaSuccess);
    EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
  }
  static cudaStream_t new_capture(cudaStreamCaptureMode mode = cudaStreamCaptureModeThreadLocal) {
    const cudaStream_t stream = new_stream();
    EXPECT_EQ(cudaStreamBeginCapture(stream, mode), cudaSuccess);
    return stream;
  }
  static cudaGraph_t end(cudaStream_t origin) {
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(origin, &graph), cudaSuccess);
    return graph;
  }
  static cudaGraphExec_t executable(cudaGraph_t graph) {
    cudaGraphExec_t executable = nullptr;
    EXPECT_EQ(cudaGraphInstantiate(&executable, graph, 0), cudaSuccess);
    return executable;
  }
  static cudaStreamCaptureStatus status(cudaStream_t stream) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    EXPECT_EQ(cudaStreamIsCapturing(stream, &status), cudaSuccess);
    return status;
  }
  /// That the capture has been invalidated, so that its end gives no graph and the error says so.
  static void expect_invalidated(cudaStream_t origin) {
    EXPECT_EQ(status(origin), cudaStreamCaptureStatusInvalidated);
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(origin, &graph), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph, nullptr);
    EXPECT_EQ(status(origin), cudaStreamCaptureStatusNone);
  }
};

}  // namespace spillway
