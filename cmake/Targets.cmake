# One library target per folder, `spillway::<folder>`; tests mirror the folders.

add_library(spillway_options INTERFACE)
# maybe-uninitialized: g++ 12 sees ghosts in std::variant and std::optional, and more of them under sanitizers.
target_compile_options(
  spillway_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-maybe-uninitialized)
if(SPILLWAY_SANITIZE)
  target_compile_options(spillway_options INTERFACE -fsanitize=${SPILLWAY_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(spillway_options INTERFACE -fsanitize=${SPILLWAY_SANITIZE})
endif()

# spillway_add_library(NAME sim SOURCES ... PUBLIC targets... PRIVATE targets...)
function(spillway_add_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(spillway_${ARG_NAME} STATIC ${ARG_SOURCES})
  add_library(spillway::${ARG_NAME} ALIAS spillway_${ARG_NAME})
  target_include_directories(spillway_${ARG_NAME} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(spillway_${ARG_NAME} PUBLIC ${ARG_PUBLIC} PRIVATE spillway_options ${ARG_PRIVATE})
endfunction()

# spillway_add_test(NAME sim SOURCES ... LIBRARIES targets... [LABELS ...] [TOGETHER])
# Each test is a process of its own, or, where what they share takes longer than they do, TOGETHER all are one.
function(spillway_add_test)
  cmake_parse_arguments(ARG "TOGETHER" "NAME" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(spillway_${ARG_NAME}_tests ${ARG_SOURCES})
  target_link_libraries(spillway_${ARG_NAME}_tests PRIVATE spillway_options ${ARG_LIBRARIES} GTest::gtest_main GTest::gmock)
  if(TARGET spillway_capture_every_schedule)  # where a CUDA toolkit is found
    target_link_libraries(spillway_${ARG_NAME}_tests PRIVATE spillway_capture_every_schedule)
  endif()
  target_compile_definitions(spillway_${ARG_NAME}_tests PRIVATE SPILLWAY_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(ARG_TOGETHER)
    add_test(NAME ${ARG_NAME} COMMAND spillway_${ARG_NAME}_tests)
    set_tests_properties(${ARG_NAME} PROPERTIES TIMEOUT 900 LABELS "${ARG_NAME};${ARG_LABELS}")
  else()
    gtest_discover_tests(spillway_${ARG_NAME}_tests TEST_PREFIX "${ARG_NAME}/" DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 900 LABELS "${ARG_NAME};${ARG_LABELS}")
  endif()
endfunction()

# Lets a test start the command, its path being SPILLWAY_PROGRAM there: the one that captures every schedule, if it can.
function(spillway_test_starts_program NAME)
  if(TARGET spillway_capturing)
    set(program spillway_capturing)
  else()
    set(program spillway)
  endif()
  target_compile_definitions(spillway_${NAME}_tests PRIVATE SPILLWAY_PROGRAM="$<TARGET_FILE:${program}>")
  add_dependencies(spillway_${NAME}_tests ${program})
endfunction()

function(spillway_add_folders)
  foreach(folder ${ARGN})
    if(EXISTS ${PROJECT_SOURCE_DIR}/${folder}/CMakeLists.txt)
      add_subdirectory(${PROJECT_SOURCE_DIR}/${folder})
    endif()
  endforeach()
endfunction()
