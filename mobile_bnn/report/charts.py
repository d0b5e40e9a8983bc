"""The charts of a report, made from the records, as Matplotlib figures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.records import Epoch, History, Operator, Operators
from mobile_bnn.report import drawing
from mobile_bnn.report.classes import Matrix
from mobile_bnn.report.drawing import BLUE, COLOURS, GREEN, GREY, INK, ORANGE, PURPLE, SKY
from mobile_bnn.report.figures import engine, is_float_baseline
from mobile_bnn.report.formats import DOT, operator_number, plural, printable, significant
from mobile_bnn.report.operator_times import Breakdown, TimedOperator
from mobile_bnn.report.pareto import Entry
from mobile_bnn.report.tables import flip_ratio_names, metric_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST = 34  # characters of a label beside a bar
_SLOWEST = 15  # operators that get a bar
KIND_COLOURS = {"binary": BLUE, "packing": SKY, "glue": GREEN, "float": ORANGE, "outside": GREY}


@dataclass(frozen=True)
class Chart:
    """A figure, the id of its place in the page, and its title there."""

    name: str
    title: str
    figure: "Figure"

    def svg(self) -> str:
        """An `<svg>` element."""
        return drawing.svg(self.figure, self.name, self.title)


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
    _legend_above(axes)
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
    _legend_above(axes)
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


def _legend_above(axes: "Axes") -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.1)


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
    _legend_above(axes)
    return figure


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
        (f"#{operator_number(row.latency.operator, row.latency.subgraph)} {_short(row.layer)}",
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

    tiles = [(_short(row.layer, 18), row.latency.median_ms, row.kind) for row in split.rows]
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


def roofline(split: Breakdown, measurement: Measurement, table: Operators, position: int) -> Chart | None:
    """What each binary operator achieves against the bytes it moves, below the peak of the same session.

    None where the peak or the file's operators are not known.
    """
    moved = {(each.subgraph, each.index): each.weight_bytes + each.output_bytes for each in table.operators}
    points = [
        (
            row.binary_macs / max(1, sum(moved.get(place, 0) for place in _places(row))),
            row.gmacs,
        )
        for row in split.rows
        if row.kind == "binary" and row.gmacs and row.binary_macs
    ]
    if not points or not measurement.peak_gmacs:
        return None
    peak = measurement.peak_gmacs * measurement.threads
    with drawing.style():
        figure, axes = drawing.axes()
        axes.axhline(peak, color=ORANGE, linewidth=1.5)
        axes.scatter([each[0] for each in points], [each[1] for each in points], color=BLUE, s=22, zorder=3)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(min(each[1] for each in points) / 2, 2 * peak)
        axes.annotate(
            f"peak of {plural(measurement.threads, 'core')}: {significant(peak)}",
            (0, peak),
            xycoords=("axes fraction", "data"),
            xytext=(4, 3),
            textcoords="offset points",
            fontsize=9,
        )
        _plain_ticks(axes.yaxis)
        _plain_ticks(axes.xaxis)
        axes.set_xlabel("binary MACs for each byte of weights and output")
        axes.set_ylabel("Gbit-MAC/s")
    return Chart(f"roofline-{position}", "Binary operators below the peak", figure)


def _places(row: TimedOperator) -> list[tuple[int, int]]:
    return [(row.latency.subgraph, index) for index in row.latency.operators or [row.latency.operator]]


def latencies(profiles: Sequence[Profile]) -> list[Chart]:
    """A chart for each target."""
    charts = []
    with drawing.style():
        for position, profile in enumerate(profiles):
            if not any(each.latencies_ms for each in profile.measurements):
                continue
            title = "Latency of the runs" + (f" on {printable(profile.target)}" if len(profiles) > 1 else "")
            title += " (emulated)" if profile.machine.emulated else ""
            charts.append(Chart(f"latency-{position}", title, _latency(profile)))
    return charts


def _latency(profile: Profile) -> "Figure":
    """The distribution of the runs of each measurement: a box of quartiles, whiskers to 1 and 99 per cent."""
    rows = [each for each in profile.measurements if each.latencies_ms]  # some tools print statistics alone
    figure, axes = drawing.axes(height=1.0 + 0.3 * len(rows))
    names = list(dict.fromkeys(engine(each) for each in rows))
    colours = {name: COLOURS[1:][place % len(COLOURS[1:])] for place, name in enumerate(names)}
    boxes = axes.boxplot(
        [each.latencies_ms for each in rows],
        orientation="horizontal",
        whis=(1, 99),
        showfliers=False,
        patch_artist=True,
        widths=0.6,
        tick_labels=[_measured(each, several=len({other.file for other in rows}) > 2) for each in rows],
    )
    for box, each in zip(boxes["boxes"], rows, strict=True):
        box.set(facecolor=BLUE if is_float_baseline(each) else colours[engine(each)], edgecolor=INK, linewidth=0.8)
    for part in ("whiskers", "caps", "medians"):
        for line in boxes[part]:
            line.set(color=INK, linewidth=1.4 if part == "medians" else 0.8)
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.tick_params(axis="y", labelsize=9, length=0)
    axes.grid(visible=False, axis="y")
    _plain_ticks(axes.xaxis)
    axes.set_xlabel("latency (ms, logarithmic)")
    return figure


def _measured(each: Measurement, *, several: bool) -> str:
    what = f"{PurePath(each.file).stem} {DOT} {each.engine}" if several else engine(each)
    name = f"{_short(what)}, {each.threads}T"
    name += f" {each.cores}" if each.cores else ""
    return f"{name} (throttled)" if each.throttled else name


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
        axes.set_xticks(places, [_short(name, 14) for name in matrix.names], rotation=90 if size > 6 else 0, fontsize=9)
        axes.set_yticks(places, [_short(name, 14) for name in matrix.names], fontsize=9)
        axes.tick_params(length=0)
        axes.grid(visible=False)
        axes.invert_yaxis()
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
    return Chart("confusion", "Confusion matrix (images)", figure)


def _rows(matrix: Matrix) -> list[tuple[Sequence[int], int]]:
    return list(zip(matrix.images, matrix.others, strict=True))


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
            [each.median_ms for each in own], values, s=areas, color=colour, alpha=0.6, label=_short(target) + mark
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
    _plain_ticks(axes.xaxis)
    axes.set_xlabel("median latency (ms, logarithmic); the area is the size of the file")
    axes.set_ylabel("accuracy (%)")
    legend = axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.1)
    for handle in filter(None, legend.legend_handles):
        setp(handle, sizes=[40])
    return figure


def _plain_ticks(axis: Any) -> None:
    """Ticks of a logarithmic axis as plain numbers: 0.05, 2, 500."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_data_interval()
    decades = math.log10(high / low) if 0 < low < high else 0.0
    steps = (1.0,) if decades > 2 else (1.0, 2.0, 5.0) if decades > 0.8 else tuple(map(float, range(1, 10)))
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _short(name: str, most: int = _LONGEST) -> str:
    """The end of a long name tells more than its beginning."""
    name = printable(name)
    return name if len(name) <= most else "…" + name[-most + 1 :]
