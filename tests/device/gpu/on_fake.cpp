// Stands in for device/cuda/gpu.cpp: the GPU is the fake runtime's, so that all that is done on a GPU can be tried
// without one. What an executable's own files define is taken before the library's.
#include "device/gpu.h"
#include "tests/device/cuda/fake_gpu.h"

namespace spillway {

std::unique_ptr<Device> make_gpu(int, bool) {  // of our own kernels none rounds to TF32
  return fake_gpu();
}

int gpu_count() {
  return 1;
}

std::string gpu_text() {
  return "works, on host threads in a GPU's place: its times say nothing of any GPU";
}

std::vector<std::pair<std::string, std::string>> gpu_libraries() {
  return {};
}

}  // namespace spillway
