#!/bin/sh
# Reads tools/debian_packages.txt: `debian_packages.sh names|missing|evidence [PACKAGE ...]`.
#   names     every package, as apt-get takes them
#   missing   those of them, or of the named ones, that are not here, by what shows it
#   evidence  the commands and paths that show them, a line each
set -eu
list="$(dirname "$0")/debian_packages.txt"
what=$1
shift

# Whether one of "command,/a/path" is here.
is_here() {
    for sign in $(echo "$1" | tr , ' '); do
        case $sign in
        /*) [ -e "$sign" ] && [ -n "$(ls -A "$sign")" ] && return 0 ;;  # an empty folder shows nothing
        *) command -v "$sign" >/dev/null && return 0 ;;
        esac
    done
    return 1
}

wanted=" $* "
sed 's/#.*//' "$list" | while read -r package signs; do
    [ -n "$package" ] || continue
    case $wanted in
    *" $package "* | "  ") ;;
    *) continue ;;
    esac
    case $what in
    names) echo "$package" ;;
    missing) is_here "$signs" || echo "$package" ;;
    evidence) echo "$signs" | tr , '\n' ;;
    *) echo "debian_packages.sh: names, missing or evidence, not $what" >&2 && exit 2 ;;
    esac
done
