"""What the results of the pipeline share: they print themselves, and tell where their record is kept."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobile_bnn.errors import first_line

if TYPE_CHECKING:
    from rich.console import RenderableType


class Shown(ABC):
    """A result whose tables `print` writes as text, and a notebook shows."""

    @abstractmethod
    def __rich__(self) -> "RenderableType":
        """The tables, for Rich."""

    def __str__(self) -> str:
        from mobile_bnn.report.plain import as_text

        return as_text(self.__rich__())

    def _repr_html_(self) -> str:
        from mobile_bnn.report.plain import as_html

        return as_html(self.__rich__())


@dataclass(frozen=True)
class Kept:
    """Where a record was kept.

    Attributes:
        path: its file; None where there is none.
        not_kept: why it could not be written: what was measured is not lost on a full disk.
    """

    path: Path | None = None
    not_kept: str = ""


def keep(save: Callable[[Path], None], path: Path) -> Kept:
    """Saves a record, or tells why that is impossible."""
    try:
        save(path)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        return Kept(not_kept=f"{error.strerror or first_line(error)}{where}")
    return Kept(path)
