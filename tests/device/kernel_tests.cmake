# Tests of the CPU device's kernels; paths are relative to the project's root.
set(SPILLWAY_KERNEL_TEST_SOURCES
  tests/device/kernel_case.cpp
  tests/device/kernel_choice_test.cpp
  tests/device/kernel_convolution_cases.cpp
  tests/device/kernel_elementwise_cases.cpp
  tests/device/kernel_loss_cases.cpp
  tests/device/kernel_normalization_cases.cpp
  tests/device/kernel_shape_cases.cpp
  tests/device/kernel_update_cases.cpp
  tests/device/kernels_test.cpp
  tests/device/operand_memory.cpp)
