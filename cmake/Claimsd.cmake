# How this project declares its targets: one library per directory. tests/architecture checks what a
# directory may include.

option(CLAIMSD_WERROR "Treat warnings as errors" OFF)
option(CLAIMSD_FUZZ "Build the fuzz targets (clang)" OFF)
option(CLAIMSD_COVERAGE "Instrument for coverage" OFF)
set(CLAIMSD_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")

add_library(claimsd_flags INTERFACE)
target_include_directories(claimsd_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_features(claimsd_flags INTERFACE cxx_std_20)
# A designated initializer deliberately uses the defaults of the members it leaves out.
target_compile_options(claimsd_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow
  -Wno-missing-field-initializers
  $<$<BOOL:${CLAIMSD_WERROR}>:-Werror>)
target_compile_definitions(claimsd_flags INTERFACE SPDLOG_FMT_EXTERNAL)
if(CLAIMSD_SANITIZE)
  # g++ 12 warns about uninitialized std::function in its own headers when instrumented.
  target_compile_options(claimsd_flags INTERFACE -fsanitize=${CLAIMSD_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(claimsd_flags INTERFACE -fsanitize=${CLAIMSD_SANITIZE})
endif()
if(CLAIMSD_COVERAGE)
  target_compile_options(claimsd_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(claimsd_flags INTERFACE --coverage)
endif()

# claimsd_library(NAME SOURCES a.cc b.cc LINKS libraries...): one layer.
function(claimsd_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC claimsd_flags ${ARG_LINKS})
endfunction()

# claimsd_test(NAME SOURCES a_test.cc LINKS libraries...): one Catch2 program, run by ctest.
function(claimsd_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE claimsd_flags claimsd_catch_main ${ARG_LINKS})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# claimsd_python_test(NAME path): one pytest directory or file, run against the build.
function(claimsd_python_test name path)
  add_test(NAME ${name} COMMAND /usr/bin/python3 -B -m pytest -q -p no:cacheprovider ${path}
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600
    ENVIRONMENT "CLAIMSD_BUILD_DIR=${PROJECT_BINARY_DIR}")
endfunction()

# claimsd_fuzz(NAME SOURCES ... LINKS ...): one libFuzzer target; `./dev fuzz` runs them.
function(claimsd_fuzz name)
  if(NOT CLAIMSD_FUZZ)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE claimsd_flags ${ARG_LINKS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()
