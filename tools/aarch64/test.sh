#!/bin/sh
# Runs the native library on emulated 64-bit ARM: `test.sh PYTHON [--if-possible]`.
#
# A Debian arm64 system is unpacked once under MBNN_CACHE (~/.cache/mobile_bnn), with LiteRT's own aarch64 wheel. What the
# native tests and the models of the zoo give on this machine, where LCE's reference kernel has just confirmed it, is
# replayed there by qemu on a Cortex-A53, a Cortex-A76 (dot product) and the newest CPU it knows: the same bits. Code of an
# instruction set is replayed where that is the best, and portable code on the first CPU: emulated, others run it alike.
# With --if-possible, a machine that cannot do this is no failure.
set -eu
cd "$(dirname "$0")/../.."
python=$1
if_possible=${2:-}
PATH="$(cd "$(dirname "$python")" && pwd):$PATH"  # cmake
export PATH
root=${MBNN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mobile_bnn}/debian-arm64
build=$PWD/build/aarch64
run_limit=600              # seconds for the replay on one CPU

give_up() {
    echo "test-aarch64: cannot run here: $1" >&2
    [ "$if_possible" = --if-possible ] && exit 0
    exit 1
}

[ "$(id -u)" = 0 ] || give_up "a Debian system is unpacked and entered as root only"
missing=$(sh tools/debian_packages.sh missing debootstrap qemu-user-static g++-aarch64-linux-gnu | paste -s -d ' ')
[ -z "$missing" ] || give_up "there is no $missing (make test-deps installs them on Debian and Ubuntu)"
command -v unshare >/dev/null || give_up "there is no unshare (apt-get install util-linux)"
unshare --mount --pid --fork true 2>/dev/null || give_up "this root may not make mount namespaces"

# The Python of the root, with LiteRT's packages, under an emulator that is inside it.
make_root() {
    sh tools/debian_root.sh arm64 "$root.new" "$build/debootstrap.log" python3 libpython3-stdlib libstdc++6 ||
        give_up "no Debian system could be unpacked"
    cp "$(command -v qemu-aarch64-static)" "$root.new/usr/bin/"
    "$python" -m pip install --quiet --disable-pip-version-check --target "$root.new/opt/python" --only-binary=:all: \
        --platform manylinux2014_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64 \
        --python-version 3.11 --implementation cp -c constraints.txt ai-edge-litert numpy
    mv "$root.new" "$root"
}

# Runs Python on an emulated CPU inside the root, where `build/aarch64` is /opt/run.
emulate() {
    cpu=$1
    shift
    timeout -k 10 "$run_limit" unshare --mount --pid --fork --kill-child sh -c '
        root=$0 build=$1 cpu=$2
        shift 2
        mount -t proc proc "$root/proc"
        mount -t tmpfs tmpfs "$root/sys"  # of x86 the number of cores only: its caches crash the code for ARM in LiteRT
        mkdir -p "$root/sys/devices/system/cpu"
        for name in possible present online; do
            cat "/sys/devices/system/cpu/$name" >"$root/sys/devices/system/cpu/$name"
        done
        mkdir -p "$root/opt/run"
        mount --bind "$build" "$root/opt/run"
        # The env of this machine: that of the root runs only where the kernel hands programs of ARM to qemu.
        exec env -i PATH=/usr/bin:/usr/sbin PYTHONPATH=/opt/python chroot "$root" /usr/bin/qemu-aarch64-static \
            -cpu "$cpu" "$@"' "$root" "$build" "$cpu" "$@"
}

# Whether the instruction UDOT was translated while one convolution ran with the default instruction set.
used_udot() {
    rm -f "$build/translated.log"
    emulate "$1" -d in_asm -D /opt/run/translated.log /usr/bin/python3 /opt/run/replay.py \
        /opt/run/libmobile_bnn_delegate.so --one /opt/run/cases
    # qemu prints it in hexadecimal: UDOT Vd.4S, Vn.16B, Vm.16B is 0x6e80_9400 and three registers.
    grep -qiE ' 6e[89][0-9a-f]9[4-7][0-9a-f]{2} ' "$build/translated.log"
}

replay() {
    cpu=$1 isas=$2 chosen=$3
    echo "$cpu, expected: $isas, replayed: $chosen"
    emulate "$cpu" /usr/bin/python3 /opt/run/replay.py /opt/run/libmobile_bnn_delegate.so "$isas" "$chosen" \
        /opt/run/cases /opt/run/zoo
    case $isas in
        neon_dot*) used_udot "$cpu" || { echo "  the default did not use the dot product" >&2; exit 1; } ;;
        *) ! used_udot "$cpu" || { echo "  the dot product was used on a CPU without it" >&2; exit 1; } ;;
    esac
}

mkdir -p "$build"
[ -d "$root" ] || make_root
cmake -S native -B "$build/native" -DCMAKE_TOOLCHAIN_FILE="$PWD/native/cmake/aarch64-linux-gnu.cmake" >"$build/cmake.log"
cmake --build "$build/native" >>"$build/cmake.log" 2>&1 || { cat "$build/cmake.log"; exit 1; }
cp "$build/native/libmobile_bnn_delegate.so" tools/aarch64/cases.py tools/aarch64/replay.py "$build/"
echo "Recording what the native tests and the zoo's models give on this machine"
PYTHONPATH=tools/aarch64 "$python" -m pytest -q -p record --record-cases "$build/cases" -p no:cacheprovider \
    tests/native/test_bconv2d.py tests/native/test_maxpool2d.py tests/native/test_quantize.py \
    tests/native/test_fusion.py tests/native/test_broadcast.py
"$python" tools/aarch64/zoo_cases.py "$build/zoo"
replay cortex-a53 neon,portable neon,portable
replay cortex-a76 neon_dot,neon,portable neon_dot
replay max neon_dot,neon,portable neon_dot
