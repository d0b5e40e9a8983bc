"""How a training went: a line for every metric."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mobile_bnn.records import Epoch, History
from mobile_bnn.report import drawing
from mobile_bnn.report.charts.chart import Chart, legend_above
from mobile_bnn.report.drawing import BLUE, GREY, ORANGE
from mobile_bnn.report.formats import printable
from mobile_bnn.report.tables import flip_ratio_names, metric_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def training(history: History) -> list[Chart]:
    """Every metric against the epoch (training solid, validation dashed), flip ratios, learning rate."""
    groups = list(dict.fromkeys(name.removeprefix("val_") for name in metric_names(history)))
    with drawing.style():
        charts = [_metric_chart(history.epochs, name, position) for position, name in enumerate(groups)]
        if names := flip_ratio_names(history):
            charts.append(_flip_chart(history.epochs, names))
        figure, axes = _epochs(history.epochs)
        _line(axes, history.epochs, [epoch.learning_rate for epoch in history.epochs], "learning rate", BLUE)
    return [*charts, Chart("learning-rate", "Learning rate", figure)]


def _epochs(epochs: Sequence[Epoch]) -> "tuple[Figure, Axes]":
    from matplotlib.ticker import MaxNLocator

    figure, axes = drawing.axes()
    axes.set_xlabel("epoch")
    axes.grid(visible=False, axis="x")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.margins(x=0.02 if len(epochs) > 1 else 0.5)
    return figure, axes


def _metric_chart(epochs: Sequence[Epoch], name: str, position: int) -> Chart:
    figure, axes = _epochs(epochs)
    for key, title, colour, dash in ((name, "training", BLUE, "-"), (f"val_{name}", "validation", ORANGE, "--")):
        if any(key in epoch.metrics for epoch in epochs):
            _line(axes, epochs, [epoch.metrics.get(key) for epoch in epochs], title, colour, dash=dash)
    legend_above(axes)
    return Chart(f"metric-{position}", printable(name).replace("_", " ").capitalize(), figure)


def _flip_chart(epochs: Sequence[Epoch], names: Sequence[str]) -> Chart:
    figure, axes = _epochs(epochs)
    axes.set_ylabel("share of signs changed")
    layers = [name for name in names if name != "flip_ratio"]
    for position, name in enumerate(layers):
        values = [epoch.metrics.get(name) for epoch in epochs]
        # Too many layers for a legend of their own: they share one entry.
        label = "each binary layer" if position == 0 else "_"
        _line(axes, epochs, values, label, GREY, width=0.8)
    if "flip_ratio" in names:
        _line(axes, epochs, [epoch.metrics.get("flip_ratio") for epoch in epochs], "mean of all layers", BLUE)
    legend_above(axes)
    return Chart("flip-ratio", "Flip ratio of binary weights", figure)


def _line(
    axes: "Axes",
    epochs: Sequence[Epoch],
    values: Sequence[float | None],
    name: str,
    colour: str,
    *,
    dash: str = "-",
    width: float = 1.8,
) -> None:
    # A metric that is not finite, or was not measured in an epoch, is a gap.
    finite = [value if value is not None and math.isfinite(value) else math.nan for value in values]
    marker = "o" if len(epochs) <= 30 else None
    axes.plot(
        [epoch.epoch for epoch in epochs],
        finite,
        label=name,
        color=colour,
        linestyle=dash,
        linewidth=width,
        marker=marker,
        markersize=2 * width,
    )
