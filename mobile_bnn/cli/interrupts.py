"""Ctrl-C at any moment: exit code 130 and one line at most, never a traceback."""

import _thread
import os
import signal
import sys
import time

TYPE_CHECKING = False  # as in typing, which takes too long to import, see main.py
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

INTERRUPTED = 130

_pressed = False


def end_at_once() -> None:
    """From now on Ctrl-C ends the process: for the start and the end of a program, where there is no job to clean up.

    An exception there is swallowed, or turned into another one, by whatever import or destructor it meets.
    """
    _handle(lambda signum, frame: os._exit(INTERRUPTED))


def raise_in_job() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt, and `pressed` tells that it did."""
    _handle(_raise)
    if sys.unraisablehook is not _try_again:
        sys.unraisablehook = _try_again


def pressed() -> bool:
    """Whether Ctrl-C was pressed since `raise_in_job`: then any exception may come from it, such as an ImportError."""
    return _pressed


def leave() -> None:
    """Ends the process after a job was interrupted and has cleaned up.

    Python does not take itself apart: TensorFlow's threads may still be in the middle of the step that was interrupted,
    and one that returns into a Python that is half gone crashes.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(INTERRUPTED)


def _handle(handler: "Any") -> None:
    # Where SIGINT is ignored (nohup, a shell's background job) it stays so.
    if signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        return
    try:
        signal.signal(signal.SIGINT, handler)
    except ValueError:  # not in the main thread, which alone may and hears Ctrl-C
        return


def _raise(signum: int, frame: "FrameType | None") -> None:
    global _pressed
    _pressed = True
    raise KeyboardInterrupt


def _try_again(unraisable: "Any") -> None:
    """Python drops an exception of a callback or a destructor after printing it: Ctrl-C is to end the job instead."""
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        _thread.start_new_thread(_interrupt_soon, ())
    else:
        sys.__unraisablehook__(unraisable)


def _interrupt_soon() -> None:
    time.sleep(0.01)  # by then the callback, which would swallow it again, has ended
    _thread.interrupt_main()
