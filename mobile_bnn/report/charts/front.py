"""Accuracy against latency and size: the Pareto front."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mobile_bnn.report import drawing
from mobile_bnn.report.charts.chart import Chart, plain_ticks, short
from mobile_bnn.report.drawing import COLOURS
from mobile_bnn.report.formats import DOT, printable
from mobile_bnn.report.pareto import Entry

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pareto(found: Sequence[Entry]) -> list[Chart]:
    """Accuracy against latency for each data set; the area of a point is the file's size. None without accuracies."""
    scored = [entry for entry in found if entry.score]
    charts = []
    with drawing.style():
        for position, dataset in enumerate(dict.fromkeys(entry.score.dataset for entry in scored if entry.score)):
            own = [entry for entry in scored if entry.score and entry.score.dataset == dataset]
            title = f"Accuracy on {printable(dataset)} against latency"
            charts.append(Chart(f"pareto-{position}", title, _pareto(own)))
    return charts


def _pareto(found: Sequence[Entry]) -> "Figure":
    from matplotlib.artist import setp

    figure, axes = drawing.axes(height=3.6, width=2 * drawing.WIDTH)
    targets = list(dict.fromkeys(entry.target for entry in found))
    largest = max(entry.size_bytes for entry in found)
    for target, colour in zip(targets, COLOURS * len(targets), strict=False):
        own = [entry for entry in found if entry.target == target]
        values = [100 * entry.score.value if entry.score else math.nan for entry in own]
        areas = [30 + 400 * entry.size_bytes / largest for entry in own]
        mark = " (emulated)" if any(entry.emulated for entry in own) else ""
        axes.scatter(
            [each.median_ms for each in own], values, s=areas, color=colour, alpha=0.6, label=short(target) + mark
        )
        front = sorted((each.median_ms, 100 * each.score.value) for each in own if each.front and each.score)
        axes.plot([each[0] for each in front], [each[1] for each in front], color=colour, linewidth=1.2)
        for entry, value in zip(own, values, strict=True):
            where = (entry.median_ms, value)
            name = f"{printable(entry.model, 30)} {DOT} {entry.engine.partition(' ')[0]}"
            axes.annotate(name, where, xytext=(6, 4), textcoords="offset points", fontsize=8)
    axes.set_xscale("log")
    axes.margins(x=0.15, y=0.2)
    axes.set_ylim(max(0.0, axes.get_ylim()[0]), min(100.5, axes.get_ylim()[1]))
    plain_ticks(axes.xaxis)
    axes.set_xlabel("median latency (ms, logarithmic); the area is the size of the file")
    axes.set_ylabel("accuracy (%)")
    legend = axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.1)
    for handle in filter(None, legend.legend_handles):
        setp(handle, sizes=[40])
    return figure
