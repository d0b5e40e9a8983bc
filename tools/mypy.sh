#!/bin/sh
# Runs mypy on the packages as they are installed: zoo/ is mobile_bnn.zoo, converters/ is mobile_bnn.converters.
# usage: mypy.sh PYTHON
set -eu
stage=build/mypy/mobile_bnn
rm -rf "$stage" && mkdir -p "$stage"
for part in mobile_bnn/* zoo converters; do
    case "$part" in */__pycache__) continue ;; esac
    ln -s "$(pwd)/$part" "$stage/$(basename "$part")"
done
MYPYPATH=build/mypy exec "$1" -m mypy -p mobile_bnn
