# Builds for Android without the NDK: clang of the `ziglang` package, musl's headers, and stubs of Android's libraries.
#
# ANDROID_ABI: arm64-v8a or x86_64. The NDK's own toolchain file takes the same variable and is used where one is.
#
# The target is musl, since zig has its headers and since the types and constants of the C library that native/ uses
# are the same in musl and in bionic, Android's own, the pthread types included (glibc's differ). The stubs hold the
# functions listed in bionic/*.txt, so that one which an Android 6 device lacks fails here, at the linker, and not there.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ANDROID_ABI MBNN_STUBS)

if(ANDROID_ABI STREQUAL "arm64-v8a")
  set(MBNN_TARGET aarch64-linux-musl)
elseif(ANDROID_ABI STREQUAL "x86_64")
  set(MBNN_TARGET x86_64-linux-musl)
else()
  message(FATAL_ERROR "ANDROID_ABI is '${ANDROID_ABI}'. Cure: -DANDROID_ABI=arm64-v8a or -DANDROID_ABI=x86_64.")
endif()
include("${CMAKE_CURRENT_LIST_DIR}/zig.cmake")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # there are no start files to link a program with

# What differs in name: errno, and bcmp, which Android has not and clang likes to call.
string(APPEND CMAKE_C_FLAGS_INIT " -D__errno_location=__errno -fno-builtin-bcmp")
string(APPEND CMAKE_CXX_FLAGS_INIT " -D__errno_location=__errno -fno-builtin-bcmp")

if(NOT MBNN_STUBS)
  set(MBNN_STUBS "${CMAKE_BINARY_DIR}/bionic")
  file(WRITE "${MBNN_STUBS}/version.map" "LIBC { global: *; };\n")
  foreach(library c m dl)
    file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/bionic/lib${library}.txt" lines REGEX "^[^#]")
    string(REGEX MATCHALL "[a-z0-9_]+" functions "${lines}")
    set(source "")
    foreach(function ${functions})
      string(APPEND source ".globl ${function}\n.type ${function}, %function\n${function}:\n")
    endforeach()
    file(WRITE "${MBNN_STUBS}/lib${library}.s" "${source}")
    execute_process(
      COMMAND ${CMAKE_C_COMPILER} -shared -nostdlib -Wl,--version-script=version.map -Wl,-soname,lib${library}.so
        lib${library}.s -o lib${library}.so
      WORKING_DIRECTORY "${MBNN_STUBS}" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endif()
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-nostdlib")
set(CMAKE_SKIP_BUILD_RPATH ON)  # or devices would look for libc in the build folder
set(MBNN_C_LIBRARIES "${MBNN_STUBS}/libc.so" "${MBNN_STUBS}/libm.so")  # by path: zig takes -lc and -lm for its own
