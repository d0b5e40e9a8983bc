"""What each operator of a file costs: bars of MACs and bytes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mobile_bnn.records import Operator, Operators
from mobile_bnn.report import drawing
from mobile_bnn.report.charts.chart import Chart, legend_above
from mobile_bnn.report.drawing import BLUE, GREEN, ORANGE, PURPLE
from mobile_bnn.report.formats import operator_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def operators(table: Operators) -> list[Chart]:
    """MACs and bytes of each operator, in the file's order."""
    costs = {"binary": ("binary_macs", BLUE), "float": ("float_macs", ORANGE)}
    storage = {"weights": ("weight_bytes", GREEN), "output": ("output_bytes", PURPLE)}
    with drawing.style():
        return [
            Chart("macs", "MACs by operator", _bars(table.operators, "MACs", costs)),
            Chart("bytes", "Bytes by operator", _bars(table.operators, "bytes", storage)),
        ]


def _bars(rows: Sequence[Operator], unit: str, series: dict[str, tuple[str, str]]) -> "Figure":
    from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator

    figure, axes = drawing.axes()
    places, below = list(range(len(rows))), [0] * len(rows)
    for title, (field, colour) in series.items():
        heights = [getattr(row, field) for row in rows]
        axes.bar(places, heights, bottom=below, label=title, color=colour, width=0.8)
        below = [one + other for one, other in zip(below, heights, strict=True)]
    numbers = [operator_number(row.index, row.subgraph) for row in rows]
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda place, _: numbers[round(place)] if 0 <= round(place) < len(numbers) else "")
    )
    axes.yaxis.set_major_formatter(EngFormatter(sep=" "))
    axes.set_xlabel("operator (# in the table)")
    axes.set_ylabel(unit)
    axes.grid(visible=False, axis="x")
    legend_above(axes)
    return figure
