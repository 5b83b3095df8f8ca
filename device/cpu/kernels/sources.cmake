# The kernels of the CPU device; paths are relative to the project's root.
set(SPILLWAY_CPU_KERNEL_SOURCES
  device/cpu/kernel.cpp
  device/cpu/kernels/concat.cpp
  device/cpu/kernels/convolution.cpp
  device/cpu/kernels/cross_entropy.cpp
  device/cpu/kernels/dice.cpp
  device/cpu/kernels/dropout.cpp
  device/cpu/kernels/elementwise.cpp
  device/cpu/kernels/linear.cpp
  device/cpu/kernels/loops.cpp
  device/cpu/kernels/normalization.cpp
  device/cpu/kernels/onednn.cpp
  device/cpu/kernels/packed_weights.cpp
  device/cpu/kernels/pooling.cpp
  device/cpu/kernels/recipe.cpp
  device/cpu/kernels/recipe_kernel.cpp
  device/cpu/kernels/updates.cpp
  device/cpu/kernels/upsample.cpp)

# What they call beside oneDNN: the OpenMP run-time that oneDNN itself runs on, to set its thread count.
set(SPILLWAY_CPU_KERNEL_LIBRARIES gomp)

# Our loops are bound by memory once they are vectorised. Without fused multiply-adds their bits are the same on every x86-64.
set(loops ${SPILLWAY_CPU_KERNEL_SOURCES})
list(FILTER loops INCLUDE REGEX "(concat|cross_entropy|dice|dropout|normalization|updates|upsample)\\.cpp$")
list(TRANSFORM loops PREPEND ${PROJECT_SOURCE_DIR}/)
set_source_files_properties(${loops} PROPERTIES COMPILE_OPTIONS "-O3;-ffp-contract=off;-fno-math-errno")
unset(loops)
