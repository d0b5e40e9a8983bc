#!/bin/sh
# Unpacks a Debian system for ARM: `debian_root.sh ARCH ROOT LOG PACKAGE ...` (root, debootstrap, qemu-user-static).
#
# The packages and what they need are unpacked and not configured, which would be the slow half under an emulator: their
# programs run, but there are no users and no settings. ROOT appears when it is complete.
set -eu
arch=$1 root=$2 log=$3  # ARCH: arm64 or armhf
shift 3
suite=bookworm          # its Python is 3.11, as on Raspberry Pi OS of that name
part=$root.part

packages=$(echo "$@" | tr ' ' ,)
rm -rf "$part"
mkdir -p "$part" "$(dirname "$log")"
echo "Unpacking Debian $suite for $arch into $root (a minute or two, once)"
debootstrap --arch="$arch" --variant=minbase --foreign --include="$packages" "$suite" "$part" >"$log" 2>&1 || {
    echo "debootstrap failed, see $log" >&2
    exit 1
}
for package in "$part"/var/cache/apt/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -C "$part" -x --keep-directory-symlink
    rm "$package"
done
[ ! -L "$part/proc" ] || rm "$part/proc"  # debootstrap's link to this machine's, where it could not mount one
mkdir -p "$part/proc"
rm -rf "$root"
mv "$part" "$root"
