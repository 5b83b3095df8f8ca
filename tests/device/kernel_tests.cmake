# Tests of the CPU device's kernels; paths are relative to the project's root.
set(SPILLWAY_KERNEL_TEST_SOURCES
  tests/device/kernel_choice_test.cpp
  tests/device/kernels_test.cpp)
