"""Catches what native libraries print to standard error, where Python's own redirection does not reach."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

# Information and warnings of TensorFlow's and absl's loggers, and what they say where there is no GPU.
_NOISE = re.compile(
    r"^(WARNING: All log messages before absl::InitializeLog"
    r"|[IW]\d{4} "
    r"|\d{4}-\d\d-\d\d [\d:.]+: [IW] "
    r"|To enable the following instructions:"
    r"|.*(failed call to cuInit|Unable to register cu(DNN|FFT|BLAS) factory))"
)


@contextmanager
def caught_stderr() -> Iterator[list[str]]:
    """Yields a list that holds, after the block, the lines that the block wrote to file descriptor 2."""
    lines: list[str] = []
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield lines
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            caught.seek(0)
            lines += caught.read().decode("utf-8", "replace").splitlines()


@contextmanager
def without_noise() -> Iterator[None]:
    """Passes on what the block writes to standard error, without TensorFlow's information and warnings."""
    lines: list[str] = []
    try:
        with caught_stderr() as lines:
            yield
    finally:
        for line in lines:
            if not _NOISE.match(line):
                print(line, file=sys.stderr)
