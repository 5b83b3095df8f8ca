// Runs the tests if there is a GPU, else says why not and ends with the code that CTest takes for "skipped".
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "device/gpu.h"

int main(int argc, char** argv) {
  constexpr int kSkipped = 77;
  testing::InitGoogleTest(&argc, argv);
  if (!testing::GTEST_FLAG(list_tests)) {
    try {
      static_cast<void>(spillway::make_gpu(0));
    } catch (const spillway::Error& error) {
      fmt::print("skipped: {}\n", error.what());
      return kSkipped;
    }
  }
  return RUN_ALL_TESTS();
}
