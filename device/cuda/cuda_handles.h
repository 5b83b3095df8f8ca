#pragma once

#include <cuda_runtime_api.h>

#include <utility>

#include "device/cuda/cuda_call.h"

namespace spillway {

/// Owns what one CUDA call makes and another one destroys.
template <class Handle, cudaError_t (*destroy)(Handle)>
class CudaHandle {
 public:
  CudaHandle() = default;
  explicit CudaHandle(Handle handle) : handle_(handle) {}
  ~CudaHandle() {
    if (handle_ != nullptr) ignore(destroy(handle_));
  }
  CudaHandle(CudaHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  CudaHandle& operator=(CudaHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  [[nodiscard]] Handle get() const { return handle_; }

 private:
  Handle handle_ = nullptr;
};

using CudaStream = CudaHandle<cudaStream_t, &cudaStreamDestroy>;
using CudaEvent = CudaHandle<cudaEvent_t, &cudaEventDestroy>;
using CudaGraph = CudaHandle<cudaGraph_t, &cudaGraphDestroy>;
using CudaGraphExec = CudaHandle<cudaGraphExec_t, &cudaGraphExecDestroy>;

/// Device memory.
using CudaMemory = CudaHandle<void*, &cudaFree>;

[[nodiscard]] inline CudaStream make_stream() {
  cudaStream_t stream = nullptr;
  must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags", "a stream");
  return CudaStream(stream);
}
[[nodiscard]] inline CudaEvent make_event() {
  cudaEvent_t event = nullptr;
  must(cudaEventCreateWithFlags(&event, cudaEventDefault), "cudaEventCreateWithFlags", "an event");
  return CudaEvent(event);
}

}  // namespace spillway
