# NVIDIA's packages from PyPI, in the site-packages of the first Python on PATH (a virtual environment's, if one is
# active). Those of CUDA 13 lie together in nvidia/cu13, nvcc among them; those of CUDA 12 each in a folder, without
# nvcc. Their libraries have no name without a version.
find_program(SPILLWAY_NVIDIA_PYTHON NAMES python3 NO_CACHE)
set(SPILLWAY_PYTHON_SITES "")
if(SPILLWAY_NVIDIA_PYTHON)
  execute_process(
    COMMAND ${SPILLWAY_NVIDIA_PYTHON} -c "import sys; print(*filter(None, sys.path), sep=';', end='')"
    OUTPUT_VARIABLE SPILLWAY_PYTHON_SITES ERROR_QUIET)
endif()

# The folder of a toolkit with nvcc, the newest if there are several, or nothing.
function(spillway_toolkit_of_python result)
  set(found "")
  foreach(site IN LISTS SPILLWAY_PYTHON_SITES)
    file(GLOB compilers ${site}/nvidia/cu*/bin/nvcc)
    list(APPEND found ${compilers})
  endforeach()
  list(SORT found COMPARE NATURAL ORDER DESCENDING)
  list(TRANSFORM found REPLACE "/bin/nvcc$" "")
  list(SUBLIST found 0 1 found)
  set(${result} "${found}" PARENT_SCOPE)
endfunction()

# The folders, each with include/ and lib/, of packages made for this major version of CUDA.
function(spillway_packages_of_python major result)
  set(folders "")
  foreach(site IN LISTS SPILLWAY_PYTHON_SITES)
    if(EXISTS ${site}/nvidia/cu${major})
      list(APPEND folders ${site}/nvidia/cu${major})
    endif()
    file(GLOB packages RELATIVE ${site} ${site}/nvidia_*_cu${major}-*.dist-info)
    foreach(package IN LISTS packages)
      string(REGEX REPLACE "^nvidia_(.*)_cu${major}-.*$" "\\1" folder ${package})
      list(APPEND folders ${site}/nvidia/${folder})
    endforeach()
  endforeach()
  set(${result} "${folders}" PARENT_SCOPE)
endfunction()
