# Flags that every target shares. -ffp-contract=off is part of the product, not a preference: a fused
# multiply-add rounds once where two operations round twice, so with it the same decision could differ
# between processors (docs/decisions/determinism.md).
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(headroom_flags INTERFACE)
# Vectors whose size is not known when compiling cannot be members of a struct (base/lanes-inl.hpp).
target_compile_definitions(headroom_flags INTERFACE "HWY_DISABLED_TARGETS=(HWY_SVE|HWY_SVE2|HWY_SVE_256|HWY_SVE2_128|HWY_RVV)")
target_compile_options(
  headroom_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wsign-conversion
            -Wnon-virtual-dtor
            -Wold-style-cast
            -Woverloaded-virtual
            -Wimplicit-fallthrough
            -Werror
            # GCC 12 warns wrongly about moved std::string members at -O3, and about "text" + std::string
            # (its bug 105651).
            "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-restrict>"
            -ffp-contract=off
            -fno-fast-math)

# asan | tsan | fuzz | (empty); set by the presets.
set(HEADROOM_SANITIZE "" CACHE STRING "Sanitizers to build with: asan, tsan, fuzz (with clang) or empty")
if(HEADROOM_SANITIZE STREQUAL "asan")
  # Without a check of every pointer for null, which the address sanitizer sees, and for its alignment: the two are
  # a third of the time of compiling and half of what is linked. -g1 has the lines that reports name.
  target_compile_options(headroom_flags INTERFACE -g1 -fsanitize=address,undefined -fno-sanitize=null,alignment
                                                  -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(headroom_flags INTERFACE -fsanitize=address,undefined)
elseif(HEADROOM_SANITIZE STREQUAL "tsan")
  target_compile_options(headroom_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(headroom_flags INTERFACE -fsanitize=thread)
elseif(HEADROOM_SANITIZE STREQUAL "fuzz")
  # A little optimised: it doubles what is tried in a second, and still builds fast.
  target_compile_options(headroom_flags INTERFACE -O1 -g1 -fsanitize=fuzzer-no-link,address,undefined
                                                  -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(headroom_flags INTERFACE -fsanitize=address,undefined)
elseif(NOT HEADROOM_SANITIZE STREQUAL "")
  message(FATAL_ERROR "HEADROOM_SANITIZE is '${HEADROOM_SANITIZE}'; expected asan, tsan, fuzz or empty")
endif()
