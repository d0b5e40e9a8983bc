"""Processes that a test starts: the signals that they hear, and the terminal's size, which they are not told."""

import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

# What nohup and a shell's background job (`sh -c 'make test &'`) tell their children to ignore.
_OFTEN_IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)


def pytest_configure() -> None:
    """Forgets the size of the terminal in which the tests were started: commands print other lines in it.

    pytest loads readline, whose C code puts the size into the environment that children get, unseen by os.environ.
    """
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)
        os.unsetenv(name)


@contextmanager
def default_signals() -> Iterator[None]:
    """Children started inside have the default handlers, also where this process was started with signals ignored.

    A program keeps ignoring what its parent ignored, so a test that sends Ctrl-C would wait for ever. Only the main
    thread may call this.
    """
    ignored = [number for number in _OFTEN_IGNORED if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def popen_with_default_signals(command: Sequence[object], **options: Any) -> subprocess.Popen[Any]:
    """A process that ends at Ctrl-C, SIGTERM and a closed terminal as one in the foreground would; options of Popen."""
    with default_signals():
        return subprocess.Popen([str(part) for part in command], **options)
