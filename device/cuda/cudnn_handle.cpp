#include "device/cuda/cudnn_handle.h"

#include "device/cuda/cudnn_descriptor.h"

namespace spillway {

CudnnHandle::CudnnHandle() {
  cudnnHandle_t handle = nullptr;
  check_cudnn(cudnnCreate(&handle), "cudnnCreate", "the current GPU");
  handle_.reset(handle);
}

cudnnHandle_t CudnnHandle::on(cudaStream_t stream) {
  // Convolutions of a step share one stream, so this asks cuDNN once for each.
  if (stream != stream_) {
    check_cudnn(cudnnSetStream(get(), stream), "cudnnSetStream", "a convolution");
    stream_ = stream;
  }
  return get();
}

}  // namespace spillway
