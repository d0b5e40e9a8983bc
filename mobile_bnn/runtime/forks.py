"""What must be done in the child of a fork: it has copies of all objects, and none of the threads that they rely on."""

import ctypes
import os
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

_functions: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()


def call_in_children(thing: T, function: Callable[[T], None]) -> None:
    """Calls function(thing) in every child that is forked while the thing lives, as the first thing there."""
    _functions[thing] = function


def never_destroy(thing: Any) -> None:
    """Keeps an object until the process ends and beyond: nothing that frees it will ever run."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _in_child() -> None:
    for thing, function in tuple(_functions.items()):
        function(thing)


os.register_at_fork(after_in_child=_in_child)
