# add_module(name ROW n [PURE] [COLD] SOURCES ... HEADERS ... [USES module...] [LINKS target...] [TESTS file...]
#            [PRECOMPILE <header>...])
#
# COLD: what it does happens once in a run, so that an optimised build compiles it for a short build, not for
# speed. Its files are the longest to compile: the definitions of every key, the options of every command.
# PRECOMPILE: libraries' headers that nearly every file of it includes, which take long to read.
#
# One folder under src/ is one module: one library target headroom_<name>, one namespace, one test
# program <name>_test. Rows are those of docs/architecture.md. These are configure errors:
#   - USES a module of the same or a higher row, or a module that does not exist (yet);
#   - a PURE module that uses one that is not;
#   - a source or header that includes another module's header without naming that module in USES;
#   - an include in quotes that does not start with its module, or a module's header in angle brackets.
function(add_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "PURE;COLD" "ROW" "SOURCES;HEADERS;USES;LINKS;TESTS;PRECOMPILE")
  if(NOT DEFINED arg_ROW OR DEFINED arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "add_module(${name}): ROW is required; not understood: '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  set(target headroom_${name})
  set(short_build "$<$<NOT:$<CONFIG:Debug>>:-O1>")

  foreach(used IN LISTS arg_USES)
    if(NOT TARGET headroom_${used})
      message(FATAL_ERROR "module ${name} uses '${used}', which is no module of a lower row")
    endif()
    get_target_property(used_row headroom_${used} HEADROOM_ROW)
    if(NOT used_row LESS arg_ROW)
      message(FATAL_ERROR "module ${name} (row ${arg_ROW}) may not use '${used}' (row ${used_row}): "
                          "a module uses only lower rows, see docs/architecture.md")
    endif()
    get_target_property(used_pure headroom_${used} HEADROOM_PURE)
    if(arg_PURE AND NOT used_pure)
      message(FATAL_ERROR "module ${name} is pure and may not use '${used}', which is not")
    endif()
  endforeach()
  _check_includes(${name} "${arg_USES}" ${arg_SOURCES} ${arg_HEADERS} ${arg_TESTS})

  add_library(${target} STATIC ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES HEADROOM_ROW ${arg_ROW} HEADROOM_PURE "${arg_PURE}"
                                             HEADROOM_USES "${arg_USES}"
                                             HEADROOM_FILES "${arg_SOURCES};${arg_HEADERS};${arg_TESTS}")
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS "${CMAKE_SOURCE_DIR}/src" FILES ${arg_HEADERS})
  list(TRANSFORM arg_USES PREPEND headroom_ OUTPUT_VARIABLE used_targets)
  target_link_libraries(${target} PUBLIC ${used_targets} ${arg_LINKS} PRIVATE headroom_flags)
  if(arg_COLD)
    target_compile_options(${target} PRIVATE ${short_build})
    _precompile_headers(${target} cold ${arg_PRECOMPILE})
  else()
    _precompile_headers(${target} hot ${arg_PRECOMPILE})
  endif()
  set_property(GLOBAL APPEND PROPERTY HEADROOM_MODULES ${name})
  if(arg_PURE)
    set_property(GLOBAL APPEND PROPERTY HEADROOM_PURE_TARGETS ${target})
  endif()

  if(BUILD_TESTING AND arg_TESTS)
    add_executable(${name}_test ${arg_TESTS})
    target_link_libraries(${name}_test PRIVATE ${target} headroom_flags GTest::gtest GTest::gtest_main rapidcheck)
    target_include_directories(${name}_test PRIVATE "${CMAKE_SOURCE_DIR}") # what tests share: tests/...
    # Only where it is used: with the path of this clone on its command line, no other clone would find a file in
    # the cache of the compiler.
    foreach(test IN LISTS arg_TESTS)
      file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/${test}" uses LIMIT_COUNT 1
           REGEX "HEADROOM_SOURCE_DIR|tests/example_environment.hpp")
      if(uses)
        set_property(SOURCE "${test}" APPEND PROPERTY COMPILE_DEFINITIONS HEADROOM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
      endif()
    endforeach()
    # What takes time in a test is the library, which is compiled as it ships.
    target_compile_options(${name}_test PRIVATE ${short_build})
    _precompile_headers(${name}_test test <gtest/gtest.h> <rapidcheck.h>)
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}" TIMEOUT 600)
  endif()
endfunction()

# The standard headers that nearly every file includes, and the given ones, read once for all targets of one
# kind and the same headers: reading them is a quarter of compiling a file. Each file includes what it needs all
# the same: dev and clang-tidy read it without. In dev little is gained, and clangd, which works there, cannot
# read what GCC has precompiled.
if(CMAKE_BUILD_TYPE STREQUAL Release)
  set(_precompile ON)
else()
  set(_precompile OFF)
endif()
option(HEADROOM_PRECOMPILE "Read common headers once for all files" ${_precompile})
function(_precompile_headers target kind)
  if(NOT HEADROOM_PRECOMPILE)
    return()
  endif()
  # In what was precompiled GCC 12 takes "text" + std::string for an access out of bounds (its bug 105651).
  target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  string(MAKE_C_IDENTIFIER "HEADROOM_PRECOMPILED_${kind}_${ARGN}" property)
  get_property(first GLOBAL PROPERTY ${property})
  if(first)
    target_precompile_headers(${target} REUSE_FROM ${first})
    return()
  endif()
  set_property(GLOBAL PROPERTY ${property} ${target})
  target_precompile_headers(${target} PRIVATE <fmt/format.h> <algorithm> <chrono> <filesystem> <functional> <map>
                            <memory> <optional> <set> <span> <string> <string_view> <variant> <vector> ${ARGN})
endfunction()

# add_program(name MODULE module SOURCES ...)
#
# An executable of one module: it may include what that module itself may.
function(add_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "MODULE" "SOURCES")
  if(NOT TARGET headroom_${arg_MODULE} OR DEFINED arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "add_program(${name}): MODULE names no module, or not understood: '${arg_UNPARSED_ARGUMENTS}'")
  endif()
  get_target_property(uses headroom_${arg_MODULE} HEADROOM_USES)
  _check_includes(${arg_MODULE} "${uses}" ${arg_SOURCES})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE headroom_${arg_MODULE} headroom_flags)
  set_property(TARGET headroom_${arg_MODULE} APPEND PROPERTY HEADROOM_FILES ${arg_SOURCES})
endfunction()

# Every #include "module/..." must name the module itself or one of its USES; a test may also use what
# its module uses indirectly, for it checks the whole below it, and what modules share under tests/.
function(_check_includes name uses)
  foreach(file IN LISTS ARGN)
    file(STRINGS "${CMAKE_CURRENT_SOURCE_DIR}/${file}" lines REGEX "^ *# *include +[\"<]")
    foreach(line IN LISTS lines)
      if(line MATCHES "include +<")
        string(REGEX REPLACE ".*include +<([a-z_]*).*" "\\1" included "${line}")
        if(line MATCHES "include +<[a-z_]+/" AND IS_DIRECTORY "${CMAKE_SOURCE_DIR}/src/${included}")
          message(FATAL_ERROR "src/${name}/${file} includes a header of '${included}' in angle brackets: "
                              "use quotes, so that the rule of rows sees it")
        endif()
        continue()
      endif()
      if(NOT line MATCHES "include +\"([a-z_]+)/")
        message(FATAL_ERROR "src/${name}/${file}: '${line}' does not start with a module; write \"${name}/...\"")
      endif()
      set(included "${CMAKE_MATCH_1}")
      if(NOT included STREQUAL name AND NOT included IN_LIST uses)
        if(NOT (file MATCHES "_test\\.cpp$" AND (TARGET headroom_${included} OR included STREQUAL tests)))
          message(FATAL_ERROR "src/${name}/${file} includes a header of '${included}', "
                              "which module ${name} does not name in USES")
        endif()
      endif()
    endforeach()
  endforeach()
endfunction()
