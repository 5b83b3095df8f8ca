#pragma once

#include <cuda_runtime_api.h>
#include <cudnn_graph.h>

#include <memory>

namespace spillway {

/// cuDNN's state for the GPU that is current when this is made. One thread uses it at a time.
class CudnnHandle {
 public:
  /// Throws Error (exit 3) when there is no driver or no GPU.
  CudnnHandle();

  [[nodiscard]] cudnnHandle_t get() const { return handle_.get(); }
  /// The handle, executing on `stream` from now on.
  [[nodiscard]] cudnnHandle_t on(cudaStream_t stream);

 private:
  struct Destroy {
    void operator()(cudnnHandle_t handle) const { static_cast<void>(cudnnDestroy(handle)); }
  };
  std::unique_ptr<cudnnContext, Destroy> handle_;
  cudaStream_t stream_ = nullptr;  // a fresh handle's
};

}  // namespace spillway
