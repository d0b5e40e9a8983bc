"""Tables of plain text cells, and how they fit into a terminal: a number is never cut, nor a short word.

Where the columns do not fit side by side, every row becomes a block of lines, `header: value`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text

# As SIMPLE_HEAD, for encodings without its line: rich's own substitute is wider by its borders.
_ASCII_HEAD = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


@dataclass(frozen=True)
class Column:
    """A column's header, with its unit where it has one; numbers are set flush right."""

    header: str
    number: bool = False
    unbroken: int = 24  # characters of a word that stay together in a terminal; numbers do at any length
    style: str = ""  # Rich's name of it


@dataclass(frozen=True)
class Table:
    """A caption, columns, rows of cells and perhaps a row of totals."""

    caption: str
    columns: list[Column]
    rows: list[list[str]]
    totals: list[str] = field(default_factory=list)

    def cells(self, position: int) -> list[str]:
        """What stands below one header."""
        return [row[position] for row in (*self.rows, *([self.totals] if self.totals else []))]


class Fitted:
    """A table as a Rich renderable; its texts are never read as markup.

    Args:
        table: what to show.
        row_styles: a Rich style for each row, none by default.
        gap: spaces between columns; a table without headers has no line above its rows.
    """

    def __init__(self, table: Table, *, row_styles: Sequence[str] = (), gap: int = 1) -> None:
        self.table, self._gap = table, gap
        self._styles = list(row_styles) or [""] * len(table.rows)
        self._headed = any(column.header for column in table.columns)

    def fits(self, width: int) -> bool:
        """Whether the columns fit side by side into so many characters."""
        return self._widths(width) is not None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.table.caption:
            yield Text(self.table.caption, style="bold", overflow="fold")
        widths = self._widths(options.max_width)
        if widths is None:
            yield from self._blocks()
        else:
            yield self._side_by_side(widths, box.SIMPLE_HEAD if not options.ascii_only else _ASCII_HEAD)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        whole = sum(self._natural(position) for position in range(len(self.table.columns))) + self._between()
        return Measurement(min(whole, options.max_width), min(whole, options.max_width))

    def _between(self) -> int:
        edges = 2 if self._headed else 0
        return edges + self._gap * (len(self.table.columns) - 1)

    def _widths(self, width: int) -> list[int] | None:
        """The columns' widths, or None where they do not fit."""
        positions = range(len(self.table.columns))
        widths, natural = [self._least(position) for position in positions], list(map(self._natural, positions))
        rest = width - self._between() - sum(widths)
        if rest < 0:
            return None
        while rest and (short := [position for position in positions if widths[position] < natural[position]]):
            widths[min(short, key=widths.__getitem__)] += 1
            rest -= 1
        return widths

    def _least(self, position: int) -> int:
        column = self.table.columns[position]
        if column.number:
            return self._natural(position)
        words = [word for cell in (column.header, *self.table.cells(position)) for word in cell.split()]
        return max((min(cell_len(word), column.unbroken) for word in words), default=1)

    def _natural(self, position: int) -> int:
        # Numbers are never broken, so their headers are: the words of each below one another.
        column = self.table.columns[position]
        header = column.header.split() if column.number else [column.header]
        return max(1, *map(cell_len, (*header, *self.table.cells(position))))

    def _side_by_side(self, widths: list[int], lines: box.Box) -> RichTable:
        shown = RichTable(
            box=lines if self._headed else None,
            padding=(0, 0, 0, 0) if self._headed else (0, self._gap, 0, 0),
            pad_edge=False,
            show_header=self._headed,
            show_footer=bool(self.table.totals),
        )
        for position, (column, width) in enumerate(zip(self.table.columns, widths, strict=True)):
            shown.add_column(
                Text(column.header.replace(" ", "\n") if column.number else column.header),
                footer=Text(self.table.totals[position]) if self.table.totals else "",
                justify="right" if column.number and self._headed else "left",
                no_wrap=column.number,
                width=width,
                vertical="top",
                style=column.style,
                overflow="fold",
            )
        for row, style in zip(self.table.rows, self._styles, strict=True):
            shown.add_row(*map(Text, row), style=style)
        return shown

    def _blocks(self) -> Iterator[Text]:
        rows = list(zip(self.table.rows, self._styles, strict=True))
        for row, style in [*rows, (self.table.totals, "")] if self.table.totals else rows:
            if len(row) == 2:
                yield Text(f"{row[0]}: {row[1]}", style=style, overflow="fold")
                continue
            yield Text()
            for column, cell in zip(self.table.columns, row, strict=True):
                if cell:
                    text = f"{column.header}: {cell}" if column.header else cell
                    yield Text(text, style=style or column.style, overflow="fold")
