#include "core/error.h"
#include "device/gpu.h"

// Stands in for gpu.cpp where Spillway is built without CUDA.

namespace spillway {

std::unique_ptr<Device> make_gpu(int, bool) {
  throw machine_error("this build has no CUDA device");
}

int gpu_count() {
  return 0;
}

std::string gpu_text() {
  return "not built in; train on the cpu device";
}

std::vector<std::pair<std::string, std::string>> gpu_libraries() {
  return {};
}

}  // namespace spillway
