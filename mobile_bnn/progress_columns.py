"""What a progress bar shows, so that its numbers are whole in any terminal."""

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_ALL, _COUNTS = 76, 36  # columns of a terminal
_BESIDE_THE_BAR = 66


def progress_columns(width: int, unit: str) -> list[ProgressColumn]:
    """All of them, or counts and the remaining time, or the percentage alone.

    Args:
        width: of the terminal, in characters.
        unit: what is counted, e.g. "images".
    """
    what = TextColumn("{task.description}", markup=False)
    if width < _COUNTS:
        return [what, TaskProgressColumn()]
    if width < _ALL:
        return [what, MofNCompleteColumn(), TimeRemainingColumn()]
    bar = BarColumn(bar_width=min(40, width - _BESIDE_THE_BAR))
    times = (TimeElapsedColumn(), TextColumn("remaining"), TimeRemainingColumn())
    return [what, bar, MofNCompleteColumn(), TextColumn(unit), *times]
