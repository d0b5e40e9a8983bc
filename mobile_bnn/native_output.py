"""Catches what native libraries print to standard error, where Python's own redirection does not reach.

Run as a program it is a filter: it writes those lines of its standard input that are not noise to standard error.
"""

import fcntl
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

# Information and warnings of TensorFlow's, LiteRT's and absl's loggers, what they say where there is no GPU, an
# attribute that TensorFlow forgets to remove where it makes a data set deterministic, and what libjpeg and libpng say
# of photos that they can read all the same.
_NOISE = re.compile(
    r"^(WARNING: All log messages before absl::InitializeLog"
    r"|[IW]\d{4} "
    r"|\d{4}-\d\d-\d\d [\d:.]+: [IW] "
    r"|To enable the following instructions:"
    r"|.*(failed call to cuInit|Unable to register cu(DNN|FFT|BLAS) factory)"
    r"|INFO: Created TensorFlow Lite XNNPACK delegate"
    r"|.*oneDNN supports DT_\w+ only on platforms with"
    r"|.*NodeDef mentions attribute use_unbounded_threadpool which is not in the op definition"
    r"|Corrupt JPEG data: |Premature end of JPEG file|Inconsistent progression sequence for component "
    r"|Invalid SOS parameters for sequential JPEG|Warning: unknown JFIF revision number "
    r"|Unknown Adobe color transform code |libpng warning: )"
)


def is_noise(line: str) -> bool:
    """Whether a line of standard error tells a user nothing."""
    return _NOISE.match(line) is not None


@contextmanager
def caught_stderr() -> Iterator[list[str]]:
    """Yields a list that holds, after the block, the lines that the block wrote to file descriptor 2."""
    lines: list[str] = []
    with _replaceable() as saved, tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield lines
        finally:
            _flush(sys.stderr)
            os.dup2(saved, 2)
            caught.seek(0)
            lines += caught.read().decode("utf-8", "replace").splitlines()


@contextmanager
def without_noise() -> Iterator[None]:
    """Passes on what the block writes to standard error, at its end, without TensorFlow's information and warnings."""
    lines: list[str] = []
    try:
        with caught_stderr() as lines:
            yield
    finally:
        kept = [f"{line}\n" for line in lines if not is_noise(line)]
        with suppress(AttributeError, OSError, ValueError):  # nowhere to pass them on to
            sys.stderr.writelines(kept)


@contextmanager
def filtered_stderr() -> Iterator[None]:
    """As `without_noise`, for a block that takes long: native code's lines are passed on as they come.

    Another process does so, for a thread would be too late with the last words of a crash, and would wait for native
    code that waits for it. Python's own standard error goes past it, for it may be a terminal with a progress bar.
    TF_CPP_MIN_LOG_LEVEL=0 or 1 asks for everything.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2") < "2":
        yield
        return
    with _replaceable() as saved:
        process = _start_filter(saved)
        try:
            with _python_goes_to(saved):
                yield
        finally:
            os.dup2(saved, 2)
            with suppress(subprocess.TimeoutExpired):  # where a process that outlives the block may still print
                process.wait(5)


def _start_filter(to: int) -> "subprocess.Popen[bytes]":
    """Puts a filter between descriptor 2 and another one."""
    command = [sys.executable, "-I", "-S", __file__]
    # In a session of its own, where Ctrl-C does not reach it: it ends when nothing can write to it any more.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=to, start_new_session=True)
    assert process.stdin is not None
    os.dup2(process.stdin.fileno(), 2)
    process.stdin.close()
    return process


@contextmanager
def _replaceable() -> Iterator[int]:
    """Yields a copy of descriptor 2, which is put back, or closed again, at the end."""
    _flush(sys.stderr)
    was_open = _is_open_or_opened()
    saved = fcntl.fcntl(2, fcntl.F_DUPFD_CLOEXEC, 3)
    try:
        yield saved
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        if not was_open:
            os.close(2)


def _is_open_or_opened() -> bool:
    """Whether descriptor 2 is open. Else it becomes /dev/null, or the next file that is opened would be it."""
    try:
        os.fstat(2)
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        if null != 2:
            os.dup2(null, 2)
            os.close(null)
        return False
    return True


@contextmanager
def _python_goes_to(descriptor: int) -> Iterator[None]:
    """Lets `sys.stderr` write to another descriptor while the block runs, if it writes to descriptor 2."""
    before = sys.stderr
    try:
        ours = before is not None and before.fileno() == 2
    except (AttributeError, OSError, ValueError):  # in memory, or closed
        ours = False
    if not ours:
        yield
        return
    # Of the same class below, which may have an answer of its own to a full disk.
    raw: Any = type(getattr(before.buffer, "raw", before.buffer))
    buffer, errors = io.BufferedWriter(raw(descriptor, "w", closefd=False)), before.errors
    with io.TextIOWrapper(buffer, encoding=before.encoding, errors=errors, line_buffering=True) as stream:
        sys.stderr = stream
        try:
            yield
        finally:
            sys.stderr = before


def _flush(stream: TextIO | None) -> None:
    with suppress(AttributeError, OSError, ValueError):  # none, full, closed
        stream.flush()  # type: ignore[union-attr]


def _filter() -> None:
    for line in sys.stdin.buffer:
        if not is_noise(line.decode("utf-8", "replace")):
            os.write(2, line)


if __name__ == "__main__":
    _filter()
