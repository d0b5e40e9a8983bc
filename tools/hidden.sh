#!/bin/sh
# Runs a command as on a machine that has nothing but what the README asks for: `hidden.sh [--if-possible] COMMAND ...`.
#
# What shows the packages of tools/debian_packages.txt is hidden from the command, and so are CMake and Ninja: PATH is a
# folder of links without their commands, and over their folders lie empty ones, in a mount namespace of this command
# alone. With --if-possible, a machine where nothing can be mounted is no failure.
set -eu
tools=$(cd "$(dirname "$0")" && pwd)
if_possible=
[ "${1:-}" = --if-possible ] && if_possible=1 && shift
[ $# -gt 0 ] || { echo "usage: hidden.sh [--if-possible] COMMAND ..." >&2; exit 2; }

give_up() {
    echo "hidden: cannot hide packages here: $1" >&2
    [ -n "$if_possible" ] && exit 0
    exit 1
}

commands='cmake ctest cpack ninja'
folders=
for sign in $(sh "$tools/debian_packages.sh" evidence); do
    case $sign in
    /*)
        [ -e "$sign" ] || continue
        folder=$(readlink -f "$sign")
        [ -d "$folder" ] || folder=$(dirname "$folder")  # of a library, to which a link leads
        case $folder in
        /lib | /usr/lib | /usr/bin | /usr/share | /usr/include) give_up "$sign lies among the system's own files" ;;
        esac
        folders="$folders $folder"
        ;;
    *) commands="$commands $sign" ;;
    esac
done

if [ -z "$folders" ]; then
    enter=
elif unshare --mount true 2>/dev/null; then
    enter='unshare --mount'
elif unshare --map-root-user --mount true 2>/dev/null; then
    enter='unshare --map-root-user --mount'
else
    give_up "unshare is missing or may not make a mount namespace (as root it may), and there is$folders"
fi

links=$(mktemp -d)
trap 'rm -rf "$links"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
IFS=:
for folder in $PATH; do
    ln -s "$folder"/* "$links" 2>/dev/null || true  # of two commands of a name the first one stays, as in PATH
done
unset IFS
for command in $commands; do
    rm -f "$links/$command"
done

# shellcheck disable=SC2086  # a command and a list
$enter sh -c '
    set -eu
    folders=$1 links=$2
    shift 2
    for folder in $folders; do
        mount -t tmpfs -o size=4k,ro none "$folder"
    done
    echo "hidden: every package of tools/debian_packages.txt, CMake and Ninja" >&2
    export PATH="$links"
    for package in $(sh "$0/debian_packages.sh" names); do
        [ -n "$(sh "$0/debian_packages.sh" missing "$package")" ] || { echo "hidden: $package still shows" >&2; exit 1; }
    done
    exec "$@"
' "$tools" "$folders" "$links" "$@"
