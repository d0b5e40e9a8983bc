#!/bin/sh
# Builds the native library with sanitizers: `build_native.sh FOLDER gcc|clang SANITIZERS [CMAKE OPTIONS]`.
set -eu
folder=$1
compiler=$2
flags="$3 -fno-sanitize-recover=all -fno-omit-frame-pointer -g"
shift 3
case $compiler in
gcc) cxx=g++ ;;
clang) cxx=clang++ ;;
esac
cmake -S native -B "$folder" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_CXX_COMPILER="$cxx" \
    -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" "$@" >"$folder.log"
cmake --build "$folder" --parallel >>"$folder.log" 2>&1 || { tail -30 "$folder.log" >&2; exit 1; }
