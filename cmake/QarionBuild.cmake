# Flags every target is built with, and the helpers the directories use.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

find_package(Threads REQUIRED)

# Linked PRIVATE by every target of this project.
add_library(qarion_flags INTERFACE)
target_compile_options(qarion_flags INTERFACE
  -Wall -Wextra -Werror -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  # `.settings = {...}` without the rest is how options are meant to be written.
  -Wno-missing-field-initializers
  # g++ 12 sees overlapping copies in `"text" + std::string` (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # ... and reads of empty optionals where the emptiness was just tested (GCC bug 80635).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
# Nobody reads errno after sqrt, and without it no program needs libm for its sake.
target_compile_options(qarion_flags INTERFACE -fno-math-errno)
target_compile_definitions(qarion_flags INTERFACE _GLIBCXX_ASSERTIONS)
target_include_directories(qarion_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/generated)
target_link_libraries(qarion_flags INTERFACE Threads::Threads)

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(qarion_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
    -fcf-protection -ffunction-sections -fdata-sections)
  target_link_options(qarion_flags INTERFACE
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed -Wl,--gc-sections)
endif()

if(QARION_SANITIZE)
  list(JOIN QARION_SANITIZE "," sanitizers)
  target_compile_options(qarion_flags INTERFACE
    -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(qarion_flags INTERFACE -fsanitize=${sanitizers})
endif()
# The library too is instrumented for the fuzzer's eyes, its tests are not.
set(QARION_MODULE_FLAGS $<$<BOOL:${QARION_BUILD_FUZZ}>:-fsanitize=fuzzer-no-link>)
if(QARION_COVERAGE)
  target_compile_options(qarion_flags INTERFACE -fprofile-instr-generate -fcoverage-mapping)
  target_link_options(qarion_flags INTERFACE -fprofile-instr-generate)
endif()

# All sources of a target are compiled at once, so that what headers bring is compiled once for all of them: a first
# build takes less than half the time. So what is in anonymous namespaces has different names within a directory, tests among
# themselves too. `make lint` compiles each source but tests by itself, so that it includes what it uses and sees no names
# of another; so does whoever has a compiler cache, with tests.
option(QARION_COMPILE_TOGETHER "Compile all sources of a target at once, unless a compiler launcher is set" ON)
function(qarion_compile_together name)
  if(QARION_COMPILE_TOGETHER AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
    # g++ takes the sources for headers, whose anonymous namespaces would differ from source to source.
    target_compile_options(${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# qarion_headers(NAME FILES... [LIBS libraries...] [FLAGS flags...]): headers that targets of the same flags share
# precompiled, in sanitizers' trees alone: g++ would warn of what is in them as if it were ours.
function(qarion_headers name)
  if(NOT QARION_SANITIZE OR NOT QARION_COMPILE_TOGETHER OR CMAKE_CXX_COMPILER_LAUNCHER)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "LIBS;FLAGS" ${ARGN})
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/headers.cc CONTENT "")
  add_library(${name} OBJECT ${PROJECT_BINARY_DIR}/generated/headers.cc)
  target_link_libraries(${name} PRIVATE qarion_flags ${arg_LIBS})
  target_compile_options(${name} PRIVATE ${arg_FLAGS})
  target_precompile_headers(${name} PRIVATE ${arg_UNPARSED_ARGUMENTS})
endfunction()

# qarion_module(NAME SOURCES...): the objects of one directory under src/.
function(qarion_module name)
  add_library(${name} OBJECT ${ARGN})
  target_link_libraries(${name} PRIVATE qarion_flags)
  target_compile_options(${name} PRIVATE ${QARION_MODULE_FLAGS})
  qarion_compile_together(${name})
  if(TARGET qarion_module_headers)
    target_precompile_headers(${name} REUSE_FROM qarion_module_headers)
  endif()
endfunction()
qarion_headers(qarion_module_headers <algorithm> <array> <atomic> <chrono> <filesystem> <functional> <map>
  <memory> <mutex> <optional> <string> <string_view> <thread> <utility> <variant> <vector>
  FLAGS ${QARION_MODULE_FLAGS})

# qarion_prefers_size(NAME): what it does waits for files and the network, so that its size, which is
# read at each start, counts for more than its speed.
function(qarion_prefers_size name)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name} PRIVATE -Os)
  endif()
endfunction()

# qarion_test(NAME SOURCES... [LIBS libraries...]): a GoogleTest program; each TEST becomes a test. With sanitizers a
# quarter of them does: a process of its own, and a server, would take longer than most. The log names what crashed.
# For ThreadSanitizer only those files of tests are built that have to do with threads, their own or the library's.
function(qarion_test name)
  if(NOT QARION_BUILD_TESTS)
    return()
  endif()
  cmake_parse_arguments(arg "" "" "LIBS" ${ARGN})
  set(sources ${arg_UNPARSED_ARGUMENTS})
  if(QARION_SANITIZE STREQUAL "thread")
    set(threads "thread|async|fork|Runtime|Cache|Server|Watch")
    foreach(source IN LISTS sources)
      file(STRINGS ${source} found REGEX "${threads}" LIMIT_COUNT 1)
      if(source MATCHES "_test\\.cc$" AND NOT found)
        list(REMOVE_ITEM sources ${source})
      endif()
    endforeach()
    if(NOT sources MATCHES "_test\\.cc")
      return()
    endif()
  endif()
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})  # tests/support/
  target_link_libraries(${name} PRIVATE
    qarion_flags qarion_secrets_static ${arg_LIBS} GTest::gmock GTest::gtest_main)
  # What is tested is optimised; the tests themselves would take twice the time to compile.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1> $<$<CONFIG:Debug>:-O0>)
  qarion_compile_together(${name})
  # What calls its operators would see into them, and warn that they call malloc.
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/support/allocation_counter.cc
    PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  if(TARGET qarion_test_headers)
    target_precompile_headers(${name} REUSE_FROM qarion_test_headers)
  endif()
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(QARION_SANITIZE)
    foreach(quarter RANGE 3)
      add_test(NAME ${name}.${quarter} COMMAND ${name})
      set_tests_properties(${name}.${quarter} PROPERTIES TIMEOUT 300 LABELS unit
        ENVIRONMENT "GTEST_TOTAL_SHARDS=4;GTEST_SHARD_INDEX=${quarter}")
    endforeach()
  else()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST
      PROPERTIES TIMEOUT 300 LABELS unit
      DISCOVERY_TIMEOUT 60)
  endif()
endfunction()
if(QARION_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
  qarion_headers(qarion_test_headers <gmock/gmock.h> <gtest/gtest.h> <algorithm> <chrono> <filesystem> <fstream>
    <functional> <map> <memory> <mutex> <optional> <string> <string_view> <thread> <utility> <vector>
    LIBS GTest::gmock FLAGS -O0 -fPIE)
endif()
