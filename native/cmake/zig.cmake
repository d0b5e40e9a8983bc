# Cross-builds with the `ziglang` package: clang and the headers and symbol lists of every glibc, no root needed.
#
# MBNN_TARGET: what to build for, e.g. aarch64-linux-gnu.2.17, where 2.17 is the oldest glibc that shall load it.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MBNN_TARGET)

find_program(MBNN_ZIG NAMES python-zig zig REQUIRED DOC "the zig compiler: pip install ziglang")

string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR "${MBNN_TARGET}")
set(CMAKE_SYSTEM_NAME Linux)
# `zig cc` for C++ too: `zig c++` would build a C++ runtime first, of which native/ needs one header.
set(CMAKE_C_COMPILER "${MBNN_ZIG}" cc -target "${MBNN_TARGET}")
set(CMAKE_CXX_COMPILER "${CMAKE_C_COMPILER}")
set(CMAKE_CXX_FLAGS_INIT "-isystem ${CMAKE_CURRENT_LIST_DIR}/include")
set(CMAKE_SHARED_LINKER_FLAGS_RELEASE_INIT "-s")

if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  # Cortex-A53 (Raspberry Pi 3, many phones) has two errata. zig's linker cannot work around 843419, but code of the
  # tiny model, for libraries under 1 MB, has no ADRP instruction, without which it never happens.
  set(CMAKE_C_FLAGS_INIT "-mcmodel=tiny -mfix-cortex-a53-835769")
  string(APPEND CMAKE_CXX_FLAGS_INIT " ${CMAKE_C_FLAGS_INIT}")
  # zig has names of its own for what other compilers call -march=armv8.2-a+dotprod.
  set(MBNN_DOTPROD_FLAGS "-mcpu=generic+v8_2a+dotprod")
endif()
