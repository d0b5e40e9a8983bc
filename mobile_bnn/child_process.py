"""Runs a module in a process of its own, so that native code that crashes does not end the caller."""

import os
import signal
import subprocess
import sys
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path


class StartedModule:
    """`python -m name` with a standard input, whose standard output and error are caught while the caller goes on.

    It is the leader of a process group of its own, which `close` kills: the caller must close it, whatever happens.
    """

    def __init__(self, name: str, content: bytes) -> None:
        # The child's folder is where this very package lies: -m puts the current folder first on the path, and a user's
        # own folder may hold files named like modules.
        folder, pipe = Path(__file__).resolve().parents[1], subprocess.PIPE
        self._command = [sys.executable, "-m", name]
        self._process = subprocess.Popen(
            self._command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, start_new_session=True
        )
        self._pool = ThreadPoolExecutor(1)
        self._output = self._pool.submit(self._process.communicate, content)

    def result(self, timeout_s: float | None = None) -> "subprocess.CompletedProcess[bytes]":
        """Waits until it ends.

        Raises:
            TimeoutError: it has not ended by then; `close` ends it.
        """
        try:
            out, told = self._output.result(timeout_s)
        except futures.TimeoutError as error:  # which is TimeoutError itself from Python 3.11 on
            raise TimeoutError from error
        return subprocess.CompletedProcess(self._command, self._process.returncode, out, told)

    def close(self) -> None:
        """Kills it unless it has ended."""
        if not self._output.done():
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._pool.shutdown()


def run_module(name: str, content: bytes, timeout_s: float | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Runs `python -m name` with a standard input, and catches its standard output and error.

    An exception meanwhile kills it, KeyboardInterrupt above all.

    Raises:
        TimeoutError: it did not end in time, and was killed.
    """
    with closing(StartedModule(name, content)) as module:
        return module.result(timeout_s)


def complaint(process: "subprocess.CompletedProcess[bytes]") -> str:
    """The first thing that native code complained about: often the cause that an exception does not tell."""
    lines = [line.strip() for line in process.stderr.decode("utf-8", "replace").splitlines()]
    return next((line for line in lines if "ERROR" in line), "")


def last_line(process: "subprocess.CompletedProcess[bytes]") -> str:
    """The last line of its standard error: what a Python program ended with."""
    lines = process.stderr.decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), f"its process {end_of(process.returncode)}")


def end_of(returncode: int) -> str:
    """How a process ended, in words: subprocess gives the negative number of a signal."""
    if returncode >= 0:
        return f"ended with exit code {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"
