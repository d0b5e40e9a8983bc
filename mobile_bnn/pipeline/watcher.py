"""Who is told what a long job does: the command line shows it, a program may ignore it."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Watcher:
    """Shows no progress, and lets warnings be Python's; subclasses show more."""

    @contextmanager
    def status(self, what: str) -> Iterator[Callable[[str], None]]:
        """What goes on while a block runs, e.g. "reading m.keras"; yields what is called with another text."""
        yield lambda text: None

    @contextmanager
    def progress(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """A job of so many units; yields what is called with the number of units just done."""
        yield lambda count: None

    def warn(self, label: str, text: str) -> None:
        """Something that the user did not ask for and must know."""
        warnings.warn(f"{label}: {text}", stacklevel=4)
