"""Which classes are taken for which."""

from collections.abc import Sequence

from mobile_bnn.report import drawing
from mobile_bnn.report.charts.chart import Chart, short
from mobile_bnn.report.classes import Matrix
from mobile_bnn.report.drawing import GREY


def confusion(matrix: Matrix) -> Chart:
    """How often images of each class, by row, were taken for each, by column."""
    with drawing.style():
        size = len(matrix.names)
        figure, axes = drawing.axes(height=min(2 + 0.28 * size, 8), width=1.6 * drawing.WIDTH)
        shares = [[count / max(1, sum(row) + rest) for count in row] for row, rest in _rows(matrix)]
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="none", alpha=0.85)
        for row, counts in enumerate(matrix.images):
            for column, count in enumerate(counts):
                colour = "white" if shares[row][column] > 0.5 else GREY
                if count:
                    where = column + 0.5, row + 0.5
                    axes.text(*where, str(count), ha="center", va="center", fontsize=8, color=colour)
        places = [place + 0.5 for place in range(size)]
        axes.set_xticks(places, [short(name, 14) for name in matrix.names], rotation=90 if size > 6 else 0, fontsize=9)
        axes.set_yticks(places, [short(name, 14) for name in matrix.names], fontsize=9)
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.invert_yaxis()
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
    return Chart("confusion", "Confusion matrix (images)", figure)


def _rows(matrix: Matrix) -> list[tuple[Sequence[int], int]]:
    return list(zip(matrix.images, matrix.others, strict=True))
