"""A progress bar with the remaining time, for the sub-commands that count something."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import Progress

from mobile_bnn.cli.console import err
from mobile_bnn.progress_columns import progress_columns


@contextmanager
def progress(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Shows a bar on standard error while the block runs; yields a function to advance it by a number of units."""
    columns = progress_columns(err.width, unit)
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
