#!/bin/sh
# Installs the packages of tools/debian_packages.txt on Debian or Ubuntu, as root; says which cannot be had.
set -eu
folder=$(dirname "$0")
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "test-deps: this installs packages of Debian or Ubuntu, as root: sudo make test-deps" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
dpkg --add-architecture arm64  # of musl alone
apt-get update || echo "test-deps: some package lists could not be read; going on with the others" >&2
packages=$(sh "$folder/debian_packages.sh" names)
# shellcheck disable=SC2086  # a list
apt-get install -y --no-install-recommends $packages && exit 0
# One that this release does not have must not keep the others away.
failed=
for package in $packages; do
    apt-get install -y --no-install-recommends "$package" || failed="$failed $package"
done
echo "test-deps: not installed, so that the tests which need them are skipped:${failed:- none}" >&2
[ -z "$failed" ]
