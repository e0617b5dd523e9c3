# What every host target is compiled with. The guest is freestanding and takes none of this.
option(FORKSCOPE_SANITIZE "Build the host programs with ASan and UBSan" OFF)
option(FORKSCOPE_FUZZ "Build the fuzzers (clang only)" OFF)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

add_library(forkscope_options INTERFACE)
target_compile_options(forkscope_options INTERFACE
  -Wall -Wextra -Wconversion -Wshadow -Werror -fno-omit-frame-pointer)
target_include_directories(forkscope_options INTERFACE ${CMAKE_SOURCE_DIR})
if(FORKSCOPE_SANITIZE)
  target_compile_options(forkscope_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=undefined)
  target_link_options(forkscope_options INTERFACE -fsanitize=address,undefined)
endif()

if(FORKSCOPE_FUZZ)
  target_compile_options(forkscope_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# forkscope_library(NAME SOURCES... ): one static library for one folder, e.g.
#   forkscope_library(forkscope_mmu walker.cpp mirror.cpp)
#   target_link_libraries(forkscope_mmu PUBLIC forkscope_log)
function(forkscope_library name)
  if(ARGN)
    add_library(${name} STATIC ${ARGN})
    target_link_libraries(${name} PUBLIC forkscope_options)
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE forkscope_options)
  endif()
endfunction()

# forkscope_test(NAME SOURCES... LIBS libraries... [LABEL slow|long]): a GoogleTest program known to ctest case by
# case. A `slow` test is too slow for the sanitizers, a `long` one for every run: tools/test leaves them out there.
include(GoogleTest)
function(forkscope_test name)
  cmake_parse_arguments(ARG "" "LABEL" "LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE forkscope_options ${ARG_LIBS} GTest::gtest_main GTest::gmock)
  # <cxxabi.h>, which GoogleTest includes only to print the names of types, takes the name `abi` for itself;
  # here that is the namespace of guest/abi.
  target_compile_definitions(${name} PRIVATE GTEST_HAS_CXXABI_H_=0)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${ARG_LABEL}")
endfunction()

# forkscope_fuzzer(NAME SOURCES... LIBS libraries...): a libFuzzer program in build/fuzz/fuzzers, run by
# tools/test --long; its seeds are tests/fuzz/corpus/NAME. Every preset compiles it, so that it never rots; the
# target `fuzzers` links them all.
function(forkscope_fuzzer name)
  cmake_parse_arguments(ARG "" "" "LIBS" ${ARGN})
  add_library(${name}_code OBJECT ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name}_code PUBLIC forkscope_options ${ARG_LIBS})
  if(FORKSCOPE_FUZZ)
    add_executable(${name})
    target_link_libraries(${name} PRIVATE ${name}_code)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzzers LINKER_LANGUAGE CXX)
    if(NOT TARGET fuzzers)
      add_custom_target(fuzzers)
    endif()
    add_dependencies(fuzzers ${name})
  endif()
endfunction()
