#!/bin/sh
# Prints the command of a Python that mobile_bnn supports (3.10 to 3.12), or says what to install.
# usage: find_python.sh [PYTHON]   (PYTHON: the one to use, refused if it does not fit)
check='import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12) or sys.maxsize < 2**32)'
for candidate in ${1:-python3.11 python3.12 python3.10 python3}; do
    if "$candidate" -c "$check" 2>/dev/null; then
        echo "$candidate"
        exit 0
    fi
done
echo "No usable Python found: mobile_bnn needs a 64-bit Python 3.10, 3.11 or 3.12 with venv (tried: ${1:-python3.11 python3.12 python3.10 python3})." >&2
echo "Cure: on Debian or Ubuntu 'apt-get install python3 python3-venv', or name one: make PYTHON=/path/to/python3.11 ..." >&2
exit 1
