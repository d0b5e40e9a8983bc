"""Runs functions in forked processes: what they raise fails the test, and so does one that never ends."""

import os
import select
import signal
import traceback
from collections.abc import Callable
from typing import Any

_SECONDS = 60  # none of these functions takes one


def in_child(function: Callable[..., Any], *arguments: Any) -> None:
    """Calls a function in a forked process and waits for it.

    Raises:
        AssertionError: it raised something, the process died of a signal, or it hangs.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _report(writer, function, arguments)
    os.close(writer)
    told, hangs = b"", False
    with os.fdopen(reader, "rb") as pipe:
        while True:
            hangs = not select.select([pipe], [], [], _SECONDS)[0]
            part = b"" if hangs else os.read(pipe.fileno(), 4096)
            if not part:
                break
            told += part
    if hangs:
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert not hangs, f"the child hangs after {_SECONDS} s"
    assert status == 0, told.decode() or f"the child ended with {status}"


def _report(writer: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Ends the process without what the parent would do at its end; says what went wrong."""
    status = 1
    try:
        function(*arguments)
        status = 0
    except BaseException:
        os.write(writer, traceback.format_exc().encode())
    finally:
        os._exit(status)
