"""Runs functions in forked processes: what they raise fails the test, and so does one that never ends."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.tools import ROOT

_SECONDS = 60  # none of these functions takes one
_STARTING_SECONDS = 0.03  # a thread that was just made has run its first lines by then
_IS_SANITIZED = not {"ASAN_OPTIONS", "TSAN_OPTIONS"}.isdisjoint(os.environ)


def in_new_process(function: Callable[..., object], *arguments: object) -> None:
    """Calls a function of a test module in a Python that has loaded nothing else, and lets it end as a program does.

    A fork of the tests' own process would take long, for it copies what TensorFlow has in memory.

    Args:
        function: at the top of its module.
        arguments: of JSON.

    Raises:
        AssertionError: it raised something, died, hangs, or something was written to the standard error.
    """
    folders = [str(ROOT), str(ROOT / "tests"), str(Path(function.__code__.co_filename).parent)]
    code = f"""
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
from {function.__module__} import {function.__name__}
{function.__name__}(*json.loads(sys.argv[2]))
"""
    # Newer Pythons warn of forks in processes of several threads, which is what is tried here.
    command = [
        sys.executable,
        "-W",
        "ignore::DeprecationWarning",
        "-c",
        code,
        json.dumps(folders),
        json.dumps(arguments),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=10 * _SECONDS, check=False)
    complaints = re.sub(r"INFO: |Created TensorFlow Lite XNNPACK delegate for CPU\.", "", result.stderr).strip()
    assert (result.returncode, complaints) == (0, ""), f"it ended with {result.returncode} and said:\n{result.stderr}"


def in_child(function: Callable[[], object]) -> None:
    """Calls a function in a forked process and waits for it.

    Raises:
        AssertionError: it raised something, the process died of a signal, or it hangs.
    """
    reader, writer = os.pipe()
    if _IS_SANITIZED:
        # A thread allocates as it starts, and a sanitizer's allocator stays locked in the child if it is forked then.
        time.sleep(_STARTING_SECONDS)
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _report(writer, function)
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


def _report(writer: int, function: Callable[[], object]) -> None:
    """Ends the process without what the parent would do at its end; says what went wrong."""
    status = 1
    try:
        function()
        status = 0
    except BaseException:
        os.write(writer, traceback.format_exc().encode())
    finally:
        os._exit(status)


@contextmanager
def busy(work: Callable[[], object]) -> Iterator[None]:
    """Another thread that calls work() all the time.

    Raises:
        BaseException: what it raised, at the end.
    """
    stop = threading.Event()
    failed: list[BaseException] = []

    def loop() -> None:
        try:
            while not stop.is_set():
                work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failed:
        raise failed[0]
