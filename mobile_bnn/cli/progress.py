"""What a long job does, on standard error: a progress bar with the remaining time, a status line, warnings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from mobile_bnn.cli.console import err, labelled
from mobile_bnn.pipeline import Watcher
from mobile_bnn.progress_columns import progress_columns


@contextmanager
def progress(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Shows a bar on standard error while the block runs; yields a function to advance it by a number of units."""
    columns = progress_columns(err.width, unit)
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


class Terminal(Watcher):
    """Shows what the pipeline does."""

    @contextmanager
    def status(self, what: str) -> Iterator[Callable[[str], None]]:
        """A status line while a block runs; only in terminals."""
        with err.status(what) as line:
            yield line.update

    @contextmanager
    def progress(self, what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """A progress bar while a block runs; only in terminals."""
        with progress(what, total, unit) as advance:
            yield advance

    def warn(self, label: str, text: str) -> None:
        """One line."""
        err.print(labelled(f"{label}:", "yellow", text), soft_wrap=True)
