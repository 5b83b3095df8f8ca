// usage: spillway_gpu_tests [--device-properties FOLDER] [GoogleTest's options]
//
// Writes what cuDNN is told of this GPU to FOLDER/device-properties.json, for tests without one (cudnn_test.cpp). Else
// runs the tests if there is a GPU, else says why not and ends with the code that CTest takes for "skipped".
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "core/error.h"
#include "core/io/atomic_file.h"
#include "device/gpu.h"
#ifdef SPILLWAY_WITH_CUDNN
#include "device/cuda/cudnn_handle.h"
#include "device/cuda/cudnn_machine.h"
#endif

namespace {

void write_device_properties(const std::string& folder) {
#ifdef SPILLWAY_WITH_CUDNN
  const spillway::CudnnHandle handle;
  const spillway::CudnnMachine machine(handle.get());
  spillway::write_file_atomically(folder + "/device-properties.json", machine.properties_json() + "\n");
  fmt::print("{}\n", machine.name());
#else
  fmt::print("none for {}: a fake GPU has no cuDNN\n", folder);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  testing::InitGoogleTest(&argc, argv);
  if (!testing::GTEST_FLAG(list_tests)) {
    try {
      static_cast<void>(spillway::make_gpu(0));
      if (argc == 3 && std::string(argv[1]) == "--device-properties") {
        write_device_properties(argv[2]);
        return 0;
      }
    } catch (const spillway::Error& error) {
      fmt::print("skipped: {}\n", error.what());
      return kSkipped;
    }
  }
  return RUN_ALL_TESTS();
}
