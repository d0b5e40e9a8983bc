"""How the runs of each measurement are distributed."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from mobile_bnn.profile_records import Measurement, Profile
from mobile_bnn.report import drawing
from mobile_bnn.report.charts.chart import Chart, plain_ticks, short
from mobile_bnn.report.drawing import BLUE, COLOURS, INK
from mobile_bnn.report.figures import engine, is_float_baseline
from mobile_bnn.report.formats import DOT, printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    plain_ticks(axes.xaxis)
    axes.set_xlabel("latency (ms, logarithmic)")
    return figure


def _measured(each: Measurement, *, several: bool) -> str:
    what = f"{PurePath(each.file).stem} {DOT} {each.engine}" if several else engine(each)
    name = f"{short(what)}, {each.threads}T"
    name += f" {each.cores}" if each.cores else ""
    return f"{name} (throttled)" if each.throttled else name
