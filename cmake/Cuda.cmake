# The CUDA device. Its C++ half needs only the toolkit's headers and is built, and tested against a fake CUDA runtime,
# wherever they are found; kernels and libraries come in with SPILLWAY_WITH_CUDA (the preset `cuda`).
include(PythonNvidia)
find_package(CUDAToolkit 12 QUIET)
if(NOT CUDAToolkit_FOUND)
  if(NOT DEFINED CUDAToolkit_ROOT AND NOT DEFINED ENV{CUDAToolkit_ROOT})
    spillway_toolkit_of_python(CUDAToolkit_ROOT)
  endif()
  file(GLOB cudart ${CUDAToolkit_ROOT}/lib/libcudart.so.*)
  if(CUDAToolkit_ROOT AND cudart)  # one of PyPI: neither CMake nor nvcc would find its runtime
    unset(CUDAToolkit_BIN_DIR CACHE)
    unset(CUDAToolkit_NVCC_EXECUTABLE CACHE)
    unset(CUDAToolkit_INCLUDE_DIR CACHE)
    set(CUDA_CUDART ${cudart} CACHE FILEPATH "The CUDA runtime" FORCE)
    set(CUDA_cudart_LIBRARY ${cudart} CACHE FILEPATH "The CUDA runtime" FORCE)
    set(ENV{LIBRARY_PATH} "${CUDAToolkit_ROOT}/lib:$ENV{LIBRARY_PATH}")
    find_package(CUDAToolkit 12 QUIET)
  endif()
endif()
set(SPILLWAY_CUDA_FOUND "not found (a CUDA toolkit, 12 or newer)")
if(CUDAToolkit_FOUND)
  set(SPILLWAY_CUDA_FOUND "${CUDAToolkit_VERSION}: tested against a fake runtime, not used (preset cuda)")
endif()
# Where libraries are that the toolkit doesn't have, after what CMAKE_PREFIX_PATH and the distribution say.
set(SPILLWAY_CUDA_PACKAGES "")
if(CUDAToolkit_FOUND)
  spillway_packages_of_python(${CUDAToolkit_VERSION_MAJOR} SPILLWAY_CUDA_PACKAGES)
endif()
if(CUDAToolkit_FOUND)  # only its header: the library is looked for when a profile asks for it
  find_path(
    SPILLWAY_CUPTI_INCLUDE cupti.h
    HINTS ${CUDAToolkit_INCLUDE_DIRS} ${CUDAToolkit_LIBRARY_ROOT}/extras/CUPTI/include
    PATHS ${SPILLWAY_CUDA_PACKAGES} PATH_SUFFIXES include)
endif()
set(SPILLWAY_CUPTI_FOUND "not found (cupti.h): profiles on a GPU name no kernels")
if(SPILLWAY_CUPTI_INCLUDE)
  set(SPILLWAY_CUPTI_FOUND "header found, library loaded when asked for")
endif()
# A library with headers, beside the toolkit: SPILLWAY_<name>_INCLUDE, _LIBRARY and _FOUND.
function(spillway_find_beside_toolkit name header)
  set(SPILLWAY_${name}_FOUND OFF PARENT_SCOPE)
  if(NOT CUDAToolkit_FOUND)
    return()
  endif()
  find_path(
    SPILLWAY_${name}_INCLUDE ${header}
    HINTS ${CUDAToolkit_INCLUDE_DIRS} PATHS ${SPILLWAY_CUDA_PACKAGES} PATH_SUFFIXES include)
  find_library(
    SPILLWAY_${name}_LIBRARY NAMES ${ARGN}
    HINTS ${CUDAToolkit_LIBRARY_DIR} PATHS ${SPILLWAY_CUDA_PACKAGES} PATH_SUFFIXES lib)
  if(SPILLWAY_${name}_INCLUDE AND SPILLWAY_${name}_LIBRARY)
    set(SPILLWAY_${name}_FOUND ON PARENT_SCOPE)
  endif()
endfunction()
spillway_find_beside_toolkit(CUDNN cudnn_graph.h cudnn_graph libcudnn_graph.so.9)
spillway_find_beside_toolkit(CUBLASLT cublasLt.h cublasLt libcublasLt.so.13 libcublasLt.so.12)
if(CUDAToolkit_FOUND)  # only its header: the library is looked for when ranks join
  find_path(
    SPILLWAY_NCCL_INCLUDE nccl.h
    HINTS ${CUDAToolkit_INCLUDE_DIRS} PATHS ${SPILLWAY_CUDA_PACKAGES} PATH_SUFFIXES include)
endif()
set(SPILLWAY_NCCL_FOUND "not found (nccl.h): GPUs add up through host memory")
if(SPILLWAY_NCCL_INCLUDE)
  set(SPILLWAY_NCCL_FOUND "header found, library loaded when ranks join")
endif()
if(SPILLWAY_WITH_CUDA)
  if(NOT CUDAToolkit_FOUND)
    message(FATAL_ERROR "SPILLWAY_WITH_CUDA: found no CUDA toolkit with nvcc, expected 12 or newer; install one (docs/"
                        "gpu.md says which; PyPI's packages for CUDA 12 have no nvcc) or set CUDAToolkit_ROOT")
  endif()
  if(NOT SPILLWAY_CUBLASLT_FOUND)
    message(FATAL_ERROR "SPILLWAY_WITH_CUDA: found no cuBLASLt (cublasLt.h, libcublasLt) beside the toolkit or among "
                        "Python's packages; set CMAKE_PREFIX_PATH to where it is")
  endif()
  if(NOT SPILLWAY_CUDNN_FOUND)
    message(FATAL_ERROR "SPILLWAY_WITH_CUDA: found no cuDNN 9 (cudnn_graph.h, libcudnn_graph) beside the toolkit or among "
                        "Python's packages; install nvidia-cudnn-cu${CUDAToolkit_VERSION_MAJOR} from PyPI or set "
                        "CMAKE_PREFIX_PATH to where it is")
  endif()
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
  endif()
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES all-major)
  endif()
  set(CMAKE_CUDA_RUNTIME_LIBRARY None)  # who needs it links CUDA::cudart
  enable_language(CUDA)
  # CMake 3.25 doesn't know that nvcc takes C++20.
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA_STANDARD 20)
  set(SPILLWAY_CUDA_FOUND "${CUDAToolkit_VERSION}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
endif()
