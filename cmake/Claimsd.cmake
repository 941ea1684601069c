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
  $<$<AND:$<BOOL:${CMAKE_UNITY_BUILD}>,$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage> # about files that include source files
  $<$<BOOL:${CLAIMSD_WERROR}>:-Werror>)
target_compile_definitions(claimsd_flags INTERFACE SPDLOG_FMT_EXTERNAL)
if(CLAIMSD_SANITIZE)
  # g++ 12 warns about uninitialized std::function in its own headers when instrumented.
  target_compile_options(claimsd_flags INTERFACE -fsanitize=${CLAIMSD_SANITIZE}
    -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(claimsd_flags INTERFACE -fsanitize=${CLAIMSD_SANITIZE})
endif()
# What a program that was just built is run with during the build. Newer kernels randomize address spaces more than the
# sanitizers of Debian 12 support.
set(CLAIMSD_RUN_BUILT "")
if(CLAIMSD_SANITIZE)
  execute_process(COMMAND setarch -R true RESULT_VARIABLE CLAIMSD_SETARCH_FAILED ERROR_QUIET)
  if(NOT CLAIMSD_SETARCH_FAILED)
    set(CLAIMSD_RUN_BUILT setarch -R)
  endif()
endif()
if(CLAIMSD_COVERAGE)
  target_compile_options(claimsd_flags INTERFACE --coverage -fprofile-update=atomic)
  target_link_options(claimsd_flags INTERFACE --coverage)
endif()

# Precompiled headers: what most files include. They only save time: a file still includes what it uses.
# The packages are built without them (systemd/debian/rules), so a missing include fails there.
set(CLAIMSD_COMMON_HEADERS <algorithm> <array> <charconv> <chrono> <cstdint> <cstring> <functional> <map> <memory> <optional> <span>
  <string> <string_view> <unordered_map> <utility> <vector> <fmt/core.h> <tl/expected.hpp>)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # clang and g++ mangle the template behind fmt::format_to() differently, so Debian's libfmt, which g++ compiled, lacks it.
  target_compile_definitions(claimsd_flags INTERFACE FMT_HEADER_ONLY=1)
  # A time stamp in the precompiled header would make every build of it another one to ccache.
  target_compile_options(claimsd_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>)
endif()

# claimsd_precompiled(NAME [header...]): a target that owns precompiled headers and nothing else. It is compiled with no more
# definitions than everything has that reuses them: the compilers insist.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/precompiled.cc CONTENT "// The headers come first: see claimsd_precompiled().\n")
function(claimsd_precompiled name)
  find_package(fmt REQUIRED)
  find_package(tl-expected REQUIRED)
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/generated/precompiled.cc)
  target_link_libraries(${name} PRIVATE claimsd_flags fmt::fmt tl::expected)
  target_precompile_headers(${name} PRIVATE ${CLAIMSD_COMMON_HEADERS} ${ARGN})
endfunction()
claimsd_precompiled(claimsd_precompiled)

# claimsd_library(NAME [OWN_FLAGS] SOURCES a.cc b.cc LINKS libraries...): one layer. OWN_FLAGS: it is compiled with other flags than
# the rest, so it cannot share the precompiled headers.
function(claimsd_library name)
  cmake_parse_arguments(ARG "OWN_FLAGS" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC claimsd_flags ${ARG_LINKS})
  if(NOT ARG_OWN_FLAGS)
    target_precompile_headers(${name} REUSE_FROM claimsd_precompiled)
  endif()
endfunction()

# claimsd_test(NAME SOURCES a_test.cc LINKS libraries...): one Catch2 program, run by ctest.
function(claimsd_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE claimsd_flags claimsd_catch_main ${ARG_LINKS})
  # Compiled like its precompiled headers (tests/CMakeLists.txt).
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_precompile_headers(${name} REUSE_FROM claimsd_precompiled_tests)
  # g++ 12 reports std::string's operator+ (its bug 105651), and in precompiled headers it does not
  # suppress that as a warning of a system header.
  target_compile_options(${name} PRIVATE
    "$<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overflow>")
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
