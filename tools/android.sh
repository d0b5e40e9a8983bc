#!/bin/sh
# Builds the native library and the measuring program for Android, arm64-v8a and x86_64: with the NDK of ANDROID_NDK_HOME, or with zig.
# usage: android.sh PYTHON FOLDER   (the libraries are put into FOLDER/ABI/)
set -eu
folder=$2
PATH="$(cd "$(dirname "$1")" && pwd):$PATH"  # cmake, ninja and zig
export PATH
toolchain="$(pwd)/native/cmake/android.cmake"
if [ -n "${ANDROID_NDK_HOME:-}" ]; then
    toolchain="$ANDROID_NDK_HOME/build/cmake/android.toolchain.cmake"
    [ -f "$toolchain" ] || {
        echo "ANDROID_NDK_HOME is '$ANDROID_NDK_HOME', where there is no NDK: $toolchain is missing." >&2
        echo "Cure: name the folder of the NDK, or unset ANDROID_NDK_HOME to build without." >&2
        exit 2
    }
fi
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
abis="arm64-v8a x86_64"
files="libmobile_bnn_delegate.so mobile_bnn_runner"
for abi in $abis; do
    log="$work/$abi.log"
    echo "Building for Android's $abi"
    { cmake --no-warn-unused-cli -G Ninja -S native -B "$work/$abi" -DCMAKE_TOOLCHAIN_FILE="$toolchain" \
        -DCMAKE_BUILD_TYPE=Release -DCMAKE_SHARED_LINKER_FLAGS_RELEASE=-s -DCMAKE_EXE_LINKER_FLAGS_RELEASE=-s \
        -DMBNN_RUNNER=ON \
        -DANDROID_ABI=$abi -DANDROID_PLATFORM=android-23 && cmake --build "$work/$abi"; } >"$log" 2>&1 || {
        cat "$log" >&2
        echo "The native library cannot be built for Android's $abi; the compiler's words are above." >&2
        exit 1
    }
    mkdir -p "$folder/$abi"
    for file in $files; do
        cp "$work/$abi/$file" "$folder/$abi/.$file.part"
        mv "$folder/$abi/.$file.part" "$folder/$abi/$file"  # never half a file, also where one was
    done
done
echo "Built for Android 6 (API 23) and newer:"
for abi in $abis; do
    for file in $files; do
        echo "  $folder/$abi/$file ($(($(wc -c <"$folder/$abi/$file"))) bytes)"
    done
done
