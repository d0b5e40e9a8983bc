"""A process that converts families of the conversion matrix, so that the one that asks survives a crash.

LCE's converter may end its process or never answer; then the next family is asked of a new one.
"""

import multiprocessing
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Generic, TypeVar

TESTS = Path(__file__).parents[2] / "tests"
A = TypeVar("A")


class Worker(Generic[A]):
    """Answers questions in a process of its own.

    Args:
        answer: a function of a module, as spawned processes need it; it takes what is asked.
        seconds: how long an answer may take.
    """

    def __init__(self, answer: Callable[[str], A], seconds: float) -> None:
        self._answer, self._seconds = answer, seconds
        self._process: SpawnProcess | None = None
        self._connection: Connection  # while there is a process

    def __enter__(self) -> "Worker[A]":
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def ask(self, question: str) -> A | str:
        """The answer; or as text why there is none: the process crashed, or took too long."""
        process = self._process or self._start()
        self._connection.send(question)
        try:
            if self._connection.poll(self._seconds):
                return self._connection.recv()
            why = f"no answer in {self._seconds:g} s"
        except EOFError:
            process.join()
            why = f"crash ({_signal(process.exitcode or 0)})"
        self._end()
        return why

    def _start(self) -> SpawnProcess:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._answer), daemon=True)
        self._process.start()
        theirs.close()  # or the end of the child would not show
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None


def _signal(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _serve(connection: Connection, answer: Callable[[str], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends this process
    while True:
        try:
            question = connection.recv()
        except EOFError:
            return
        connection.send(answer(question))


def with_families() -> None:
    """Lets `matrix` be imported, the package of the tests that holds the families."""
    for folder in (TESTS, TESTS / "converters"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
