"""Calls Python from a tf.data pipeline, such that a program can end while the pipeline runs.

A thread of TensorFlow that wants to call Python while the interpreter ends waits for ever, and so does the interpreter,
which waits for that thread as it frees the pipeline. So no call may be on its way by then.
"""

import atexit
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from mobile_bnn.legacy_keras import tf

_QUIET_SECONDS = 0.5
_MOST_SECONDS = 30.0


class _Calls:
    """Counts the calls that run, and refuses new ones once the program ends: a pipeline stops at its first errors."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._running = 0
        self._last = 0.0
        self._ended = False

    def guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        with self._lock:
            self._last = time.monotonic()
            if self._ended:
                raise RuntimeError("the program ends")
            self._running += 1
        try:
            return function(*arguments)
        finally:
            with self._lock:
                self._running -= 1

    def end(self) -> None:
        if os.getpid() != self._process:  # forked: the threads are not here
            return
        self._ended = True
        give_up = time.monotonic() + _MOST_SECONDS
        while (self._running or time.monotonic() - self._last < _QUIET_SECONDS) and time.monotonic() < give_up:
            time.sleep(_QUIET_SECONDS / 10)


_CALLS = _Calls()
atexit.register(_CALLS.end)


def python_function(function: Callable[..., Any], inputs: list[Any], output_type: Any) -> Any:
    """The result of a pure Python function of the inputs' NumPy values, as a tensor; scalars of text come as bytes."""

    def call(*values: Any) -> Any:
        # Where TensorFlow runs eagerly, even scalars are arrays.
        return _CALLS.guarded(
            function, *(value.item() if getattr(value, "ndim", 1) == 0 else value for value in values)
        )

    return tf.numpy_function(call, inputs, output_type, stateful=False)
