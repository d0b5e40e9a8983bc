#!/bin/sh
# Tests on devices that answer like real ones: `test_devices.sh PYTHON [--if-possible] [options of pytest]`.
#
# A virtual Raspberry Pi: a Debian arm64 system under qemu with a real sshd on loopback. A virtual phone: the real adb
# client against an adbd that the tests provide, which runs pushed Android programs under qemu. With --if-possible, a
# machine that cannot do this is no failure, and says so.
set -eu
cd "$(dirname "$0")/.."
python=$1
shift
if_possible=
[ "${1:-}" != --if-possible ] || { if_possible=$1 && shift; }

give_up() {
    echo "test-devices: cannot run here: $1" >&2
    [ "$if_possible" = --if-possible ] && exit 0
    exit 1
}

[ "$(id -u)" = 0 ] || give_up "systems for ARM are unpacked and entered as root only"
missing=$(sh tools/debian_packages.sh missing debootstrap qemu-user-static openssh-server adb mksh toybox musl:arm64 |
    paste -s -d ' ')
[ -z "$missing" ] || give_up "there is no $missing (make test-deps installs them on Debian and Ubuntu)"
unshare --mount --pid --fork true 2>/dev/null || give_up "this root may not make mount namespaces"
binfmt=/proc/sys/fs/binfmt_misc
[ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt 2>/dev/null ||
    give_up "this kernel has no binfmt_misc, which hands programs for ARM to qemu"

exec "$python" -m pytest --devices tests/devices "$@"
