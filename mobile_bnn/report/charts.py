"""The charts of a report, made from the records; the page's style sheet colours text and grid for light and dark."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.records import Epoch, History, Operator, Operators
from mobile_bnn.report.figures import engine, is_float_baseline
from mobile_bnn.report.formats import operator_number, plural, printable
from mobile_bnn.report.operator_times import own
from mobile_bnn.report.operator_times import parts as time_parts
from mobile_bnn.report.tables import flip_ratio_names, metric_names

# Told apart by colour-blind readers (after Okabe and Ito), and readable on white and on near-black.
BLUE, ORANGE, GREEN, PURPLE, SKY, OLIVE = "#2f7fc1", "#dd7a10", "#169c78", "#bb5f9a", "#4aa6d8", "#9a8f1f"
GREY = "#8b93a0"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, OLIVE)
HEIGHT = 320  # pixels


@dataclass(frozen=True)
class Chart:
    """A figure, the id of its place in the page, and its title there."""

    name: str
    title: str
    figure: go.Figure


def label(text: str) -> str:
    """A name as Plotly text, which reads a few HTML tags: escaped, and short enough for a legend."""
    return html.escape(printable(text, 40))


def _figure(x_title: str, y_title: str = "") -> go.Figure:
    figure = go.Figure()
    axis = {"automargin": True, "zeroline": False, "showline": False, "gridcolor": "rgba(128,128,128,0.25)"}
    figure.update_layout(
        template="none",
        height=HEIGHT,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "system-ui, sans-serif", "size": 12, "color": "#7a818c"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom", "traceorder": "normal"},
        xaxis={**axis, "title": {"text": x_title}, "showgrid": False},
        yaxis={**axis, "title": {"text": y_title}},
        # Dragging must scroll a phone's page, not zoom into a chart.
        dragmode=False,
    )
    return figure


def training(history: History) -> list[Chart]:
    """Every metric against the epoch (training solid, validation dashed), flip ratios, learning rate."""
    groups = list(dict.fromkeys(name.removeprefix("val_") for name in metric_names(history)))
    charts = [_metric_chart(history.epochs, name, position) for position, name in enumerate(groups)]
    if names := flip_ratio_names(history):
        charts.append(_flip_chart(history.epochs, names))
    figure = _figure("epoch")
    _line(figure, history.epochs, [epoch.learning_rate for epoch in history.epochs], "learning rate", BLUE)
    figure.update_layout(showlegend=False)
    return [*charts, Chart("learning-rate", "Learning rate", figure)]


def _metric_chart(epochs: Sequence[Epoch], name: str, position: int) -> Chart:
    figure = _figure("epoch")
    for key, title, colour, dash in ((name, "training", BLUE, "solid"), (f"val_{name}", "validation", ORANGE, "dash")):
        if any(key in epoch.metrics for epoch in epochs):
            _line(figure, epochs, [epoch.metrics.get(key) for epoch in epochs], title, colour, dash=dash)
    figure.update_layout(showlegend=True)
    return Chart(f"metric-{position}", printable(name).replace("_", " ").capitalize(), figure)


def _flip_chart(epochs: Sequence[Epoch], names: Sequence[str]) -> Chart:
    figure = _figure("epoch", "share of signs changed in a step")
    layers = [name for name in names if name != "flip_ratio"]
    for position, name in enumerate(layers):
        values = [epoch.metrics.get(name) for epoch in epochs]
        # Too many layers for a legend of their own: they share one entry, and hovering tells which is which.
        layer = label(name.removeprefix("flip_ratio/"))
        _line(figure, epochs, values, "each binary layer", GREY, width=1.0, hover=layer, showlegend=position == 0)
    if "flip_ratio" in names:
        _line(figure, epochs, [epoch.metrics.get("flip_ratio") for epoch in epochs], "mean of all layers", BLUE)
    figure.update_layout(showlegend=True)
    return Chart("flip-ratio", "Flip ratio of binary weights", figure)


def _line(
    figure: go.Figure,
    epochs: Sequence[Epoch],
    values: Sequence[float | None],
    name: str,
    colour: str,
    *,
    dash: str = "solid",
    width: float = 2.0,
    hover: str = "",
    showlegend: bool = True,
) -> None:
    # A metric that is not finite, or was not measured in an epoch, is a gap.
    finite = [value if value is not None and math.isfinite(value) else None for value in values]
    figure.add_trace(
        go.Scatter(
            x=[epoch.epoch for epoch in epochs],
            y=finite,
            name=name,
            mode="lines+markers" if len(epochs) <= 30 else "lines",
            line={"color": colour, "dash": dash, "width": width},
            marker={"size": 2.5 * width},
            showlegend=showlegend,
            hovertemplate=f"{hover or name}<br>epoch %{{x}}: %{{y:.4g}}<extra></extra>",
        )
    )
    figure.update_xaxes(dtick=1 if len(epochs) <= 12 else None, tickformat="d")


def operators(table: Operators) -> list[Chart]:
    """MACs and bytes of each operator, in the file's order."""
    costs = {"binary": ("binary_macs", BLUE), "float": ("float_macs", ORANGE)}
    storage = {"weights": ("weight_bytes", GREEN), "output": ("output_bytes", PURPLE)}
    return [
        Chart("macs", "MACs by operator", _bars(table.operators, "MACs", costs)),
        Chart("bytes", "Bytes by operator", _bars(table.operators, "bytes", storage)),
    ]


def _bars(rows: Sequence[Operator], unit: str, series: dict[str, tuple[str, str]]) -> go.Figure:
    figure = _figure("operator (# in the table)", unit)
    numbers = [operator_number(row.index, row.subgraph) for row in rows]
    names = [f"#{number} {label(row.name)}<br>{label(row.layer)}" for number, row in zip(numbers, rows, strict=True)]
    called = any(row.subgraph for row in rows)  # 2:7 is a time of day to the charts unless they are told
    for title, (field, colour) in series.items():
        figure.add_trace(
            go.Bar(
                x=numbers if called else [row.index for row in rows],
                y=[getattr(row, field) for row in rows],
                name=title,
                marker={"color": colour, "line": {"width": 0}},
                customdata=names,
                hovertemplate=f"%{{customdata}}<br>%{{y:,}} {unit} ({title})<extra></extra>",
            )
        )
    figure.update_layout(barmode="stack", showlegend=True, bargap=0.25)
    if called:
        figure.update_xaxes(type="category")
    else:
        figure.update_xaxes(dtick=1 if len(rows) <= 16 else None, tickformat="d")
    figure.update_yaxes(exponentformat="SI", rangemode="tozero")
    return figure


def operator_times(measurement: Measurement, position: int) -> Chart:
    """The time of each binary operator, and of all the rest together."""
    figure = _figure("operator (# in the table)", "median (ms)")
    times = own(measurement)
    rest, ticks = time_parts(measurement).rest, [f"#{operator_number(each.operator, each.subgraph)}" for each in times]
    for title, colour, places, values, names in (
        ("binary", BLUE, ticks, [each.median_ms for each in times],
         [f"{label(each.name)}<br>{label(each.layer)}" for each in times]),
        ("float operators, copying in and out", ORANGE, ["float"], [rest], ["everything else"]),
    ):  # fmt: skip
        figure.add_trace(
            go.Bar(
                x=places,
                y=values,
                name=title,
                marker={"color": colour, "line": {"width": 0}},
                customdata=names,
                hovertemplate="%{x} %{customdata}<br>%{y:.4g} ms<extra></extra>",
            )
        )
    figure.update_layout(showlegend=True, bargap=0.25)
    figure.update_xaxes(type="category")
    return Chart(f"operator-time-{position}", "Time by operator", figure)


def latencies(profiles: Sequence[Profile]) -> list[Chart]:
    """A chart for each target."""
    charts = []
    for position, profile in enumerate(profiles):
        title = "Latency of the runs" + (f" on {printable(profile.target)}" if len(profiles) > 1 else "")
        charts.append(Chart(f"latency-{position}", title, _latency(profile)))
    return charts


def _latency(profile: Profile) -> go.Figure:
    """The distribution of the runs: one box for each engine and kernel, side by side for each thread count."""
    figure = _figure("", "latency (ms, logarithmic)")
    groups: dict[str, list[Measurement]] = {}
    for measurement in sorted(profile.measurements, key=lambda measurement: measurement.threads):
        groups.setdefault(engine(measurement), []).append(measurement)
    colours = iter(COLOURS[1:] * (1 + len(groups) // len(COLOURS[1:])))
    for name, measurements in groups.items():
        colour = BLUE if is_float_baseline(measurements[0]) else next(colours)
        figure.add_trace(
            go.Box(
                x=[plural(one.threads, "thread") for one in measurements for _ in one.latencies_ms],
                y=[value for one in measurements for value in one.latencies_ms],
                name=label(name),
                boxpoints="outliers",
                marker={"color": colour, "size": 3, "opacity": 0.6},
                line={"width": 1.5},
            )
        )
    figure.update_layout(boxmode="group", showlegend=True, height=HEIGHT + 60)
    ticks = _ticks([value for measured in profile.measurements for value in measured.latencies_ms])
    figure.update_yaxes(type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    return figure


def _ticks(values: Sequence[float]) -> list[float]:
    """Ticks at 1, 2 and 5 times each power of ten that the positive values span."""
    exponents = [math.floor(math.log10(value)) for value in values if value > 0] or [0]
    powers = range(min(exponents), max(exponents) + 2)
    return [round(step * 10.0**power, -power) for power in powers for step in (1, 2, 5)]
