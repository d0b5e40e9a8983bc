"""Where the time of an inference goes: bars of the slowest operators, and a treemap of all."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mobile_bnn.report import drawing
from mobile_bnn.report.charts.chart import Chart, short
from mobile_bnn.report.drawing import BLUE, GREEN, GREY, INK, ORANGE, SKY
from mobile_bnn.report.formats import operator_number, significant
from mobile_bnn.report.operator_times import Breakdown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_SLOWEST = 15  # operators that get a bar
KIND_COLOURS = {"binary": BLUE, "packing": SKY, "glue": GREEN, "float": ORANGE, "outside": GREY}


def operator_times(split: Breakdown, position: int) -> list[Chart]:
    """The slowest operators as bars, and all of them as a treemap."""
    with drawing.style():
        return [
            Chart(f"operator-time-{position}", "The slowest operators", _slowest(split)),
            Chart(f"treemap-{position}", "Where the time goes", _treemap(split)),
        ]


def _slowest(split: Breakdown) -> "Figure":
    rows = sorted(split.rows, key=lambda row: row.latency.median_ms)[-_SLOWEST:]
    bars = [
        (f"#{operator_number(row.latency.operator, row.latency.subgraph)} {short(row.layer)}",
         row.latency.median_ms, row.kind)
        for row in rows
    ]  # fmt: skip
    bars.append(("outside", split.outside, "outside"))
    bars.sort(key=lambda bar: bar[1])
    figure, axes = drawing.axes(height=0.9 + 0.22 * len(bars))
    axes.barh([bar[0] for bar in bars], [bar[1] for bar in bars], color=[KIND_COLOURS[bar[2]] for bar in bars])
    axes.set_xlabel("median (ms)")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", labelsize=9, length=0)
    _kind_legend(axes, [bar[2] for bar in bars])
    return figure


def _treemap(split: Breakdown) -> "Figure":
    import squarify

    tiles = [(short(row.layer, 18), row.latency.median_ms, row.kind) for row in split.rows]
    tiles.append(("outside", split.outside, "outside"))
    tiles = sorted((tile for tile in tiles if tile[1] > 0), key=lambda tile: -tile[1])
    figure, axes = drawing.axes(height=3.4)
    axes.set_axis_off()
    if not tiles:
        return figure
    sizes = squarify.normalize_sizes([tile[1] for tile in tiles], 100, 66)
    for (name, value, kind), place in zip(tiles, squarify.squarify(sizes, 0, 0, 100, 66), strict=True):
        _tile(axes, place, KIND_COLOURS[kind], f"{name}\n{significant(value)} ms")
    axes.set_xlim(0, 100)
    axes.set_ylim(66, 0)
    _kind_legend(axes, [tile[2] for tile in tiles])
    return figure


def _tile(axes: "Axes", place: dict[str, float], colour: str, text: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((place["x"], place["y"]), place["dx"], place["dy"], facecolor=colour, edgecolor=INK, linewidth=0.6)
    )
    widest = max(map(len, text.split("\n")))
    if place["dx"] > 1.65 * widest and place["dy"] > 9:  # in hundredths of the width: about what text of 8 points takes
        middle = place["x"] + place["dx"] / 2, place["y"] + place["dy"] / 2
        axes.text(*middle, text, ha="center", va="center", fontsize=8, color="white", linespacing=1.1)


def _kind_legend(axes: "Axes", kinds: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    there = [kind for kind in KIND_COLOURS if kind in kinds]
    handles = [Patch(facecolor=KIND_COLOURS[kind], label=kind) for kind in there]
    axes.figure.legend(handles=handles, loc="outside upper left", ncols=5, columnspacing=1, handlelength=1)
